//! Asks a running gateway through its control socket: one line of JSON there, one line back. Refuses to touch the
//! database behind the gateway's back.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::exit::Failure;

/// Longest wait for the gateway's word.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// Sends `request`, returns what came back.
///
/// # Errors
/// No gateway answers, or it refuses.
pub(super) fn ask(socket: &Path, request: &Value) -> Result<Value, Failure> {
    let answer = exchange(socket, request).map_err(|error| {
        Failure::running(format!(
            "no gateway answers at {}: {error}",
            socket.display()
        ))
        .advise("start it: longwire run; or name its configuration with --config FILE")
    })?;
    let answer: Value = serde_json::from_str(&answer).map_err(|error| {
        Failure::running(format!("the gateway's answer makes no sense: {error}"))
            .advise("is it another version of longwire?")
    })?;
    if let Some(refusal) = answer.get("error").and_then(Value::as_str) {
        return Err(Failure::running(format!("the gateway refuses: {refusal}")));
    }
    Ok(answer.get("ok").cloned().unwrap_or(Value::Null))
}

fn exchange(socket: &Path, request: &Value) -> std::io::Result<String> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(ANSWER_MAX))?;
    stream.set_write_timeout(Some(ANSWER_MAX))?;
    stream.write_all(format!("{request}\n").as_bytes())?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer)?;
    Ok(answer)
}
