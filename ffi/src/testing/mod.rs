//! What tests need to have inside the library; only there with the feature `testing`, which no release has.

pub mod faults;
