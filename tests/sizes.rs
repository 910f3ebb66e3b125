//! How many bytes things take.
