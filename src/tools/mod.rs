//! Offline.
#![forbid(unsafe_code)]
