//! What tests need to have inside the library; only there with the feature `testing`, which no release has: planted faults,
//! and the body of the fuzz target `abi`.

pub mod drive;
pub mod faults;
