//! What vector instructions do: bytes found, numbers read, many at a time.
//!
//! The one module with `unsafe`: the loads that vector instructions need, and the call of code for what the processor was
//! found to have. Every implementation is held against a scalar twin by a property test.
#![allow(unsafe_code)]

pub(crate) mod apart;
// Elsewhere numbers are read one by one.
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
pub(crate) mod numbers;
pub(crate) mod scan;
