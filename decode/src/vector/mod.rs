//! What vector instructions do: bytes found, numbers read, many at a time.
//!
//! The one module with `unsafe`: the loads that vector instructions need, and the call of code for what the processor was
//! found to have. Every implementation is held against a scalar twin by a property test.
#![allow(unsafe_code)]

pub(crate) mod apart;
pub(crate) mod numbers;
pub(crate) mod scan;
