#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| ferrion_tests::fuzz::pair(data));
