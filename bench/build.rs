//! Tells the programs which compiler built them: instruction counts are compared with those of the same one.

use std::process::Command;

fn main() {
    let compiler = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let version = Command::new(compiler)
        .arg("--version")
        .output()
        .ok()
        .and_then(|output| String::from_utf8(output.stdout).ok());
    // Without the commit and the date: "rustc 1.95.0".
    let version = version.unwrap_or_default();
    let short: Vec<&str> = version.split_whitespace().take(2).collect();
    let target = std::env::var("TARGET").unwrap_or_default();
    println!(
        "cargo:rustc-env=FERRION_BENCH_COMPILER={} {target}",
        short.join(" ")
    );
    println!("cargo:rerun-if-changed=build.rs");
}
