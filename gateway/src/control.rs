//! The control socket: one request in a line of JSON, one answer in a line of JSON. Refuses strangers by the socket's
//! mode (0600): who may open it may do everything the gateway can.
//!
//! | request | answer |
//! |---|---|
//! | `{"command":"status"}` | `{"ok":{...}}`, see [`crate::status`] |
//! | `{"command":"queue-list"}` | `{"ok":[...]}` |
//! | `{"command":"queue-cancel","number":7}` | `{"ok":null}` |
//! | `{"command":"rekey","peer":"field"}` | `{"ok":null}` once the wish is durable |
//! | `{"command":"send","xml":"<message .../>"}` | `{"ok":null}` once in custody |
//!
//! What cannot be done is `{"error":"why"}`.

use std::cell::RefCell;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::rc::Rc;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tracing::warn;

use crate::gateway::Gateway;
use crate::router::{Origin, Router};
use crate::status::Board;
use crate::xml::Element;

/// Longest request, octets.
const REQUEST_MAX: u64 = 1 << 20;

/// What requests are answered from.
#[derive(Clone, Debug)]
pub(crate) struct Desk {
    pub(crate) gateway: Rc<RefCell<Gateway>>,
    pub(crate) board: Rc<RefCell<Board>>,
    pub(crate) router: Router,
}

/// Opens the socket; one left behind by a dead gateway is taken away first.
pub(crate) fn listen(path: &Path) -> io::Result<UnixListener> {
    let dead = std::os::unix::net::UnixStream::connect(path)
        .is_err_and(|it| it.kind() == io::ErrorKind::ConnectionRefused);
    if dead {
        std::fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Answers until the gateway ends.
pub(crate) async fn serve(listener: UnixListener, desk: Desk) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let desk = desk.clone();
                tokio::task::spawn_local(async move {
                    // Who hangs up early does not want the answer.
                    let _ = talk(stream, &desk).await;
                });
            }
            Err(error) => {
                warn!(%error, "the control socket does not accept");
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            }
        }
    }
}

async fn talk(stream: UnixStream, desk: &Desk) -> io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut line = String::new();
    BufReader::new(reader.take(REQUEST_MAX))
        .read_line(&mut line)
        .await?;
    let answer = match answer(&line, desk).await {
        Ok(value) => json!({ "ok": value }),
        Err(why) => json!({ "error": why }),
    };
    writer.write_all(format!("{answer}\n").as_bytes()).await
}

async fn answer(line: &str, desk: &Desk) -> Result<Value, String> {
    let request: Value =
        serde_json::from_str(line).map_err(|error| format!("the request is no JSON: {error}"))?;
    match request["command"].as_str() {
        Some("status") => {
            let status = desk.board.borrow().status(&desk.gateway.borrow());
            status.map_err(|error| error.to_string())
        }
        Some("queue-list") => {
            let queue = desk.board.borrow().queue(&desk.gateway.borrow());
            queue.map_err(|error| error.to_string())
        }
        Some("queue-cancel") => {
            let number = request["number"].as_i64().ok_or("which number?")?;
            let known = desk.gateway.borrow_mut().withdraw(number);
            match known {
                Ok(true) => Ok(Value::Null),
                Ok(false) => Err(format!("nothing in the queue has the number {number}")),
                Err(error) => Err(error.to_string()),
            }
        }
        Some("rekey") => {
            let peer = request["peer"].as_str().ok_or("which peer?")?;
            let wanted = desk.gateway.borrow_mut().want_key(peer);
            wanted.map(|()| Value::Null)
        }
        Some("send") => {
            let xml = request["xml"].as_str().ok_or("which stanza?")?;
            let stanza = Element::parse_stanza(xml).map_err(|error| error.to_string())?;
            let sent = desk.router.submit(stanza, Origin::Control).await;
            sent.map(|()| Value::Null)
                .map_err(|error| error.to_string())
        }
        Some(other) => Err(format!("no command is called `{other}`")),
        None => Err("which command?".into()),
    }
}
