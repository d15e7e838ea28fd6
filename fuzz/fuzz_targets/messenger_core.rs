#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| ferrion_messenger::testing::messenger_core(data));
