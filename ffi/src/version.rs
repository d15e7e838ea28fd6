//! Which ferrion this is.

use core::ffi::{CStr, c_char};

/// The version of the library that runs, "0.1.0" for example. `FERRION_VERSION` is that of the header.
///
/// Borrowed until: the program ends.
#[unsafe(no_mangle)]
pub extern "C" fn ferrion_version() -> *const c_char {
    ffi_fn! { => c"".as_ptr(); { Ok(VERSION.as_ptr()) } }
}

/// The version of the library that runs as one number, made like `FERRION_VERSION_NUMBER`.
#[unsafe(no_mangle)]
pub extern "C" fn ferrion_version_number() -> u32 {
    ffi_fn! { => 0; { Ok(NUMBER) } }
}

/// The constants of the header. The version is generated, so that it cannot differ from the package's.
pub fn constants() -> String {
    let [major, minor, patch] = PARTS;
    format!(
        "/** The version of this header as text; `ferrion_version` is that of the library. */\n\
         #define FERRION_VERSION \"{version}\"\n\
         #define FERRION_VERSION_MAJOR {major}\n\
         #define FERRION_VERSION_MINOR {minor}\n\
         #define FERRION_VERSION_PATCH {patch}\n\
         /** The version as one number that grows: 0xMMmmpp, two hexadecimal digits for each part. */\n\
         #define FERRION_VERSION_NUMBER 0x{NUMBER:06x}\n\n\
         /** No limit, where a size_t is one. */\n\
         #define FERRION_UNLIMITED ((size_t)-1)\n",
        version = env!("CARGO_PKG_VERSION"),
    )
}

const VERSION: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => c"",
    };

const PARTS: [u32; 3] = [
    number(env!("CARGO_PKG_VERSION_MAJOR")),
    number(env!("CARGO_PKG_VERSION_MINOR")),
    number(env!("CARGO_PKG_VERSION_PATCH")),
];

const NUMBER: u32 = PARTS[0] << 16 | PARTS[1] << 8 | PARTS[2];

/// Decimal digits to a number; cargo has checked that they are digits.
const fn number(digits: &str) -> u32 {
    let digits = digits.as_bytes();
    let mut number = 0;
    let mut i = 0;
    while i < digits.len() {
        number = number * 10 + (digits[i] - b'0') as u32;
        i += 1;
    }
    number
}
