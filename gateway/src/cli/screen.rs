//! A gateway's word as text for a terminal of 80 by 24. Refuses to fail: what is not there is not shown.

use serde_json::Value;

/// Columns of the terminal.
const COLUMNS: usize = 80;

/// `longwire status`.
pub(super) fn status(value: &Value) -> String {
    let mut screen = format!(
        "{} {}, up {}\n",
        text(&value["name"]),
        text(&value["version"]),
        span(number(&value["uptime-s"]))
    );
    for it in list(&value["attachments"]) {
        screen.push_str(&format!(
            "{:<10} {:<28} {}\n",
            text(&it["kind"]),
            text(&it["domain"]),
            text(&it["state"])
        ));
    }
    for it in list(&value["modems"]) {
        screen.push_str(&format!(
            "modem      {:<12} {:<10} {} bit/s, on the air {} today\n",
            text(&it["name"]),
            text(&it["state"]),
            number(&it["bit-rate"]),
            span(number(&it["airtime-today-ms"]) / 1000)
        ));
    }
    for it in list(&value["peers"]) {
        peer(&mut screen, it);
    }
    for it in list(&value["groups"]) {
        group(&mut screen, it);
    }
    clip(&screen)
}

fn group(screen: &mut String, it: &Value) {
    let role = match it["speaker"].as_str() {
        Some(peer) => format!("{peer} speaks"),
        None => format!("{} to all", octets(number(&it["air-bytes"]))),
    };
    screen.push_str(&format!(
        "group      {:<12} {}, {} messages, {role}\n",
        text(&it["name"]),
        text(&it["room"]),
        number(&it["messages"])
    ));
    for member in list(&it["members"]) {
        let has = match number(&member["lacks"]) {
            0 => "has everything".to_owned(),
            lacks => format!("not known to have {lacks} messages"),
        };
        let said = member["reported-s"].as_u64().map_or_else(
            || "has not said so yet".to_owned(),
            |seconds| format!("said {} ago", span(seconds)),
        );
        screen.push_str(&format!(
            "           {:<12} {has}, {said}\n",
            text(&member["name"])
        ));
    }
}

fn peer(screen: &mut String, it: &Value) {
    let heard = it["last-heard-s"].as_u64().map_or_else(
        || "never heard".to_owned(),
        |seconds| format!("heard {} ago", span(seconds)),
    );
    screen.push_str(&format!(
        "peer       {:<12} {:<10} {heard}\n",
        text(&it["name"]),
        text(&it["state"])
    ));
    let queue = &it["queue"];
    screen.push_str(&format!(
        "           waiting: {} urgent, {} chat, {} presence, {} bulk; on the air: {}\n",
        number(&queue["urgent"]),
        number(&queue["chat"]),
        number(&queue["presence"]),
        number(&queue["bulk"]),
        number(&queue["on-air"])
    ));
    let key = &it["key"];
    let state = match text(&key["state"]) {
        "settled" => String::new(),
        "failed" => ", no new one: the far end did not answer".to_owned(),
        state => format!(", a new one is {state}"),
    };
    screen.push_str(&format!(
        "           key {}, for {}{state}\n",
        text(&key["fingerprint"]),
        span(number(&key["since-s"]))
    ));
    let (xml, air) = (number(&it["xml-bytes"]), number(&it["air-bytes"]));
    let share = (air * 1000).checked_div(xml);
    screen.push_str(&format!(
        "           delivered {}: {} of XML, {} on the air{}\n",
        number(&it["delivered"]),
        octets(xml),
        octets(air),
        share.map_or_else(String::new, |share| format!(
            " ({}.{} %)",
            share / 10,
            share % 10
        ))
    ));
    let spoken = &it["dictionary"];
    let name = text(&spoken["name"]);
    match spoken["state"].as_str() {
        Some("agreed") => screen.push_str(&format!("           dictionary {name}, agreed\n")),
        Some("lesser") => screen.push_str(&format!(
            "           dictionary {name} ({} packets): the far end lacks {}\n",
            number(&spoken["packets"]),
            text(&spoken["wanted"])
        )),
        Some("none") => {
            screen.push_str("           NO DICTIONARY IN COMMON: nothing can be sent\n")
        }
        _ => {}
    }
    let empty = serde_json::Map::new();
    let dropped = it["dropped"].as_object().unwrap_or(&empty);
    let counts: Vec<String> = dropped
        .iter()
        .filter(|(_, count)| number(count) > 0)
        .map(|(reason, count)| format!("{reason} {}", number(count)))
        .collect();
    if !counts.is_empty() {
        screen.push_str(&format!("           not sent: {}\n", counts.join(", ")));
    }
}

/// `longwire queue list`.
pub(super) fn queue(value: &Value) -> String {
    let rows = list(value);
    if rows.is_empty() {
        return "nothing waits\n".to_owned();
    }
    let mut screen = format!(
        "{:>6} {:<9} {:<18} {:>6} {:>8}  {}\n",
        "number", "peer", "kind", "XML", "age", "from, to"
    );
    for it in rows {
        screen.push_str(&format!(
            "{:>6} {:<9} {:<18} {:>6} {:>8}  {}, {}\n",
            number(&it["number"]),
            text(&it["peer"]),
            text(&it["kind"]),
            number(&it["xml-bytes"]),
            span(number(&it["age-s"])),
            text(&it["from"]),
            text(&it["to"])
        ));
    }
    clip(&screen)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// `95` as `1 min 35 s`: the two largest units.
fn span(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, _, _) => format!("{hours} h {} min", minutes % 60),
        _ => format!("{days} d {} h", hours % 24),
    }
}

fn octets(count: u64) -> String {
    match count {
        0..10_000 => format!("{count} B"),
        10_000..10_000_000 => format!("{}.{} kB", count / 1000, count / 100 % 10),
        _ => format!("{}.{} MB", count / 1_000_000, count / 100_000 % 10),
    }
}

fn clip(screen: &str) -> String {
    let clipped = screen
        .lines()
        .map(|line| line.chars().take(COLUMNS).collect::<String>() + "\n");
    clipped.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn status_fits_a_terminal_and_shows_what_matters() {
        let value = json!({
            "name": "shore", "version": "0.1.0", "uptime-s": 8100,
            "attachments": [{ "kind": "component", "domain": "ship.example", "state": "connected" }],
            "modems": [{ "name": "hf", "state": "ready", "bit-rate": 300, "airtime-today-ms": 190_000 }],
            "peers": [{
                "name": "ship", "state": "up", "last-heard-s": 12,
                "queue": { "urgent": 0, "chat": 2, "presence": 0, "bulk": 0, "on-air": 1 },
                "delivered": 128, "xml-bytes": 51_200, "air-bytes": 3_900,
                "dropped": { "chat-state": 41, "avatar": 0 },
                "dictionary": { "state": "lesser", "name": "v1, 8m", "wanted": "ours.dictionary",
                    "wanted-id": "85a4caf4", "packets": 12 },
            }],
            "groups": [{
                "name": "fleet", "room": "all@fleet.example", "messages": 7, "air-bytes": 812, "speaker": null,
                "members": [
                    { "name": "ship", "lacks": 0, "reported-s": 60 },
                    { "name": "boat", "lacks": 2, "reported-s": null },
                ],
            }],
        });
        let screen = status(&value);
        assert!(screen.lines().all(|line| line.chars().count() <= COLUMNS));
        for words in [
            "up 2 h 15 min",
            "heard 12 s ago",
            "2 chat",
            "(7.6 %)",
            "not sent: chat-state 41",
            "all@fleet.example, 7 messages, 812 B to all",
            "has everything, said 1 min 0 s ago",
            "not known to have 2 messages",
            "v1, 8m (12 packets): the far end lacks ours.dictionary",
        ] {
            assert!(screen.contains(words), "{words} is missing:\n{screen}");
        }
        assert!(!screen.contains("avatar"));
    }

    #[test]
    fn nothing_is_said_of_what_was_not_told() {
        assert!(status(&json!({})).contains("up 0 s"));
        assert_eq!(queue(&json!([])), "nothing waits\n");
    }
}
