//! The core of the Messenger decides and the driver acts: no source file of the core names a socket, a thread, a clock or
//! the driver. `ARCHITECTURE.md` says why.
#![forbid(unsafe_code)]

use std::fs;
use std::path::Path;

/// What the core may not name. Addresses of `std::net` are values and allowed.
const FORBIDDEN: &[&str] = &[
    "crate::driver",
    "crate::messenger",
    "mio::",
    "TcpStream",
    "TcpListener",
    "ToSocketAddrs",
    "std::io",
    "std::fs",
    "std::env",
    "std::thread",
    "std::sync",
    "Instant",
    "SystemTime",
];

#[test]
fn the_core_names_nothing_of_the_world() {
    let core = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/core");
    let mut files = 0;
    for entry in fs::read_dir(&core).expect("the sources of the core") {
        let path = entry.expect("a readable entry").path();
        let text = fs::read_to_string(&path).expect("a readable source file");
        files += 1;
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            for name in FORBIDDEN {
                assert!(
                    !code.contains(name),
                    "{}:{}: the core names {name}",
                    path.display(),
                    number + 1
                );
            }
        }
    }
    assert!(files > 0, "no source files in {}", core.display());
}
