//! Tells the program which version of fe2o3-amqp it is of: the one of the lock file.

fn main() {
    println!("cargo:rerun-if-changed=Cargo.lock");
    let lock = std::fs::read_to_string("Cargo.lock").unwrap_or_default();
    let version = lock
        .split("[[package]]")
        .filter(|package| package.contains("name = \"fe2o3-amqp\"\n"))
        .find_map(|package| package.split("version = \"").nth(1)?.split('"').next());
    let version = version.unwrap_or("of an unknown version");
    println!("cargo:rustc-env=FE2O3_VERSION={version}");
}
