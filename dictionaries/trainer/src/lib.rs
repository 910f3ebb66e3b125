//! Makes dictionaries from text and captured stanzas. Host only; refuses to run on the air path.
