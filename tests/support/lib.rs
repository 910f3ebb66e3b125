//! What the tests share: simulated air, real servers, scripts.
