#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| ferrion_ffi::testing::drive::abi(data));
