#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sansocket_tests::fuzzing::run("parser", bytes));
