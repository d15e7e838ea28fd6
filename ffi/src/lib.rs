//! The C ABI of ferrion.
