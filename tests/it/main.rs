//! What seawall promises, a test for each promise, through its public API.

#[cfg(all(
    feature = "full",
    feature = "hyper-util",
    feature = "h2",
    feature = "reqwest-0_13"
))]
mod pins;
