//! The tables, by version. Refuses to change a version that was released: a change is a further step.

use rusqlite::Connection;

use super::StoreError;

/// Steps from an empty file to the present; `user_version` counts those taken.
const STEPS: [&str; 3] = [V1, V2, V3];

/// Times are Unix milliseconds. JIDs stand as in the stanzas.
const V1: &str = "
CREATE TABLE outbox (              -- stanzas in our custody for a peer
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    peer      TEXT NOT NULL,
    number    INTEGER,             -- packet number, once granted by the link
    class     INTEGER NOT NULL,    -- 0 urgent, 1 chat, 2 presence, 3 bulk
    queued    INTEGER NOT NULL,
    expires   INTEGER NOT NULL,
    sender    TEXT NOT NULL,
    recipient TEXT NOT NULL,
    stanza_id TEXT NOT NULL,
    merge     TEXT NOT NULL,       -- what replaces it while queued; empty: nothing
    xml       TEXT NOT NULL
);
CREATE TABLE inbox (               -- stanzas for an attachment, until it has taken them
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    service   TEXT NOT NULL,       -- 'h:' or 'c:' and the domain
    received  INTEGER NOT NULL,
    xml       TEXT NOT NULL
);
CREATE TABLE peer (                -- what a link must not forget
    name       TEXT PRIMARY KEY,
    epoch      INTEGER NOT NULL DEFAULT 0,  -- starts of this end
    peer_epoch INTEGER NOT NULL DEFAULT 0,  -- starts of the far end, as it said
    next       INTEGER NOT NULL DEFAULT 0,  -- packet number to give next
    base       INTEGER NOT NULL DEFAULT 0,  -- every packet below it is accepted
    beyond     INTEGER NOT NULL DEFAULT 0   -- bit i: base + 1 + i is accepted
) WITHOUT ROWID;
CREATE TABLE iq (                  -- requests that crossed and have no reply yet
    requester TEXT NOT NULL,
    responder TEXT NOT NULL,
    id        TEXT NOT NULL,
    deadline  INTEGER NOT NULL,
    xml       TEXT NOT NULL,       -- the request, for the error and for the cache
    PRIMARY KEY (requester, responder, id)
) WITHOUT ROWID;
CREATE TABLE held (                -- far entities' state, to answer without the air
    owner     TEXT NOT NULL,       -- JID of the far entity
    topic     TEXT NOT NULL,       -- what it is
    expires   INTEGER NOT NULL,
    xml       TEXT NOT NULL,
    PRIMARY KEY (owner, topic)
) WITHOUT ROWID;
CREATE TABLE ids (                 -- ids that packets carried, for references still to come
    peer      TEXT NOT NULL,
    sent      INTEGER NOT NULL,    -- 1: by this end
    number    INTEGER NOT NULL,    -- of the packet
    ordinal   INTEGER NOT NULL,    -- which of its ids; 0 is the stanza's own
    id        TEXT NOT NULL,
    PRIMARY KEY (peer, sent, number, ordinal)
) WITHOUT ROWID;
CREATE TABLE airtime (             -- own transmissions
    day       INTEGER NOT NULL,    -- days since 1970-01-01 UTC
    peer      TEXT NOT NULL,
    user      TEXT NOT NULL,       -- local bare JID; empty: link control
    octets    INTEGER NOT NULL,
    millis    INTEGER NOT NULL,
    PRIMARY KEY (day, peer, user)
) WITHOUT ROWID;
CREATE INDEX outbox_number ON outbox (peer, number);
CREATE INDEX iq_deadline ON iq (deadline);
CREATE INDEX held_expires ON held (expires);
";

const V2: &str = "
CREATE TABLE key (                 -- of the link to a peer, where it may be replaced over the air
    peer   TEXT PRIMARY KEY,
    origin BLOB NOT NULL,          -- digest of the key in the file, to see that the operator gave a new one
    keys   BLOB NOT NULL,          -- as in codec::rekey::Keys; empty: that of the file
    since  INTEGER NOT NULL,       -- since when the key is in use
    wanted INTEGER NOT NULL        -- 1: the operator asked for a new one
) WITHOUT ROWID;
";

const V3: &str = "
CREATE TABLE groups (              -- what an end of a group must not forget
    name   TEXT PRIMARY KEY,
    epoch  INTEGER NOT NULL DEFAULT 0,      -- the speaker's
    next   INTEGER NOT NULL DEFAULT 0,      -- number of the next message
    first  INTEGER NOT NULL DEFAULT 0,      -- first segment of the epoch still of interest
    base   INTEGER NOT NULL DEFAULT 0,      -- as in codec::group::GroupAccepted
    beyond BLOB NOT NULL DEFAULT (zeroblob(32))
) WITHOUT ROWID;
CREATE TABLE said (                -- in the room of a group
    name   TEXT NOT NULL,
    number INTEGER NOT NULL,       -- of the packet
    at     INTEGER NOT NULL,
    xml    TEXT NOT NULL,
    PRIMARY KEY (name, number)
) WITHOUT ROWID;
CREATE TABLE member (              -- what each listener has, as it last said
    name   TEXT NOT NULL,
    peer   TEXT NOT NULL,
    base   INTEGER NOT NULL,
    beyond BLOB NOT NULL,
    PRIMARY KEY (name, peer)
) WITHOUT ROWID;
";

/// Sets the durability pragmas and takes the missing steps.
pub(super) fn settle(connection: &Connection) -> Result<(), StoreError> {
    connection.execute_batch(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=5000;
         PRAGMA secure_delete=FAST;",
    )?;
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let known = STEPS.len() as i64;
    if found > known {
        return Err(StoreError::TooNew { found, known });
    }
    for (taken, step) in STEPS.iter().enumerate().skip(found as usize) {
        let version = taken + 1;
        connection.execute_batch(&format!(
            "BEGIN IMMEDIATE; {step} PRAGMA user_version={version}; COMMIT;"
        ))?;
    }
    Ok(())
}
