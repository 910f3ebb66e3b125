//! Eight emulated boards and one gateway on one half-duplex channel, where two who speak at once are heard by nobody.
//! A user of the base has all eight in the roster and talks with all of them at once, then boards lose power and the
//! gateway is killed. Refuses to know how they share the air: only that everybody gets through, once.

use std::time::{Duration, Instant};

use tests::dice::Dice;
use tests::gateways::Gateway;
use tests::hub::Hub;
use tests::process::peers_skipped;
use tests::pty::Line;
use tests::qemu::{Board, firmware};
use tests::server::Server;
use tests::slixmpp::Client;

use super::{attribute, await_component, radio, receipt, romeo, server};

const BOARDS: [&str; 8] = [
    "anna", "bert", "cleo", "dora", "emil", "finn", "gwen", "hugo",
];
/// Chats each way with each board, in each of the two acts.
const ROUNDS: usize = 3;
const LIMIT: Duration = Duration::from_secs(90);
const SEED: u64 = 8;
const LINE: Line = Line {
    bit_rate: 9600,
    turnaround: Duration::from_millis(25),
    loss_percent: 2,
    seed: SEED,
};

fn jid(board: usize) -> String {
    format!("{}@field.example", BOARDS[board])
}

/// Everybody on the channel, and what is still to come.
struct Crowd {
    boards: Vec<Board>,
    romeo: Client,
    hub: Hub,
    gateway: Gateway,
    _server: Server,
    /// When each chat of a board came to Romeo, in that order.
    arrivals: Vec<(Instant, usize)>,
    /// Boards and the order numbers of their chats without a receipt.
    unconfirmed: Vec<(usize, String)>,
}

impl Crowd {
    /// Board `board` says its text of `round`.
    fn say(&mut self, board: usize, round: usize) {
        let line = format!("to romeo@base.example {} says {round}.", BOARDS[board]);
        self.boards[board].type_line(&line);
        self.boards[board].hear("queued ", LIMIT);
        let order = self.boards[board].hear("\r\n", LIMIT);
        self.unconfirmed.push((board, order.trim().to_owned()));
    }

    /// Romeo says his text of `round` to a board.
    fn ask(&mut self, board: usize, round: usize) {
        let (to, name) = (jid(board), BOARDS[board]);
        self.romeo.send(&format!(
            "<message xmlns='jabber:client' to='{to}' type='chat' id='{name}-{round}'><body>romeo {round} to {name}.\
             </body><request xmlns='urn:xmpp:receipts'/></message>"
        ));
    }

    /// Romeo hears every board's text of `rounds`, each once, and confirms it.
    fn hear_all(&mut self, rounds: std::ops::Range<usize>) {
        let mut missing: Vec<String> = Vec::new();
        for round in rounds {
            missing.extend(BOARDS.iter().map(|name| format!("{name} says {round}.")));
        }
        let deadline = Instant::now() + LIMIT;
        while !missing.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            let said = self.romeo.receive(&["<body", " says "], left);
            let at = missing.iter().position(|text| said.contains(text));
            let text = missing.swap_remove(at.unwrap_or_else(|| panic!("twice or never: {said}")));
            let board = BOARDS.iter().position(|name| text.starts_with(name));
            let board = board.expect("one of the boards");
            let id = attribute(&said, "id");
            self.romeo.send(&receipt(&jid(board), id));
            self.arrivals.push((Instant::now(), board));
        }
    }

    /// Romeo has the receipt of each of his texts of `rounds`.
    fn await_receipts(&mut self, rounds: std::ops::Range<usize>) {
        for round in rounds {
            for name in BOARDS {
                self.romeo
                    .receive(&["received", &format!("\"{name}-{round}\"")], LIMIT);
            }
        }
    }

    /// Each board tells, once, of each text of `rounds`.
    fn check_inboxes(&mut self, rounds: std::ops::Range<usize>) {
        for (board, name) in self.boards.iter_mut().zip(BOARDS) {
            board.type_line("inbox");
            let inbox = board.hear("end of inbox", LIMIT);
            for round in rounds.clone() {
                let text = format!("romeo {round} to {name}.");
                assert_eq!(inbox.matches(&text).count(), 1, "{text} at {name}: {inbox}");
            }
        }
    }

    /// Each board has seen Romeo's receipt of each of its texts.
    fn await_confirmations(&mut self) {
        for (board, order) in std::mem::take(&mut self.unconfirmed) {
            self.boards[board].hear(&format!("* {order} received"), LIMIT);
        }
    }

    /// Prints what the channel carried since `start`.
    fn report(&self, act: &str, start: Instant) {
        let traffic = self.hub.traffic();
        let sent: u64 = traffic.transmissions.iter().sum();
        let collided: u64 = traffic.collided.iter().sum();
        println!(
            "{act}: {:.1} s, {sent} transmissions so far, {collided} of them collided, {} lost at a listener, {} bytes",
            start.elapsed().as_secs_f32(),
            traffic.faded,
            traffic.bytes.iter().sum::<u64>(),
        );
        println!(
            "  collided by station (0 is the gateway): {:?}",
            traffic.collided
        );
    }
}

/// Starts everything, the boards at once.
fn crowd() -> Crowd {
    let server = server();
    let hub = Hub::start(LINE, BOARDS.len() + 1);
    let radio = radio(&hub.ports[0], LINE.bit_rate, LINE.turnaround);
    let jids: Vec<String> = (0..BOARDS.len()).map(jid).collect();
    let jids: Vec<&str> = jids.iter().map(String::as_str).collect();
    let (gateway, images) = Gateway::start_for_boards(&server, "field.example", &jids, &radio);
    let ports = &hub.ports[1..];
    let boards = std::thread::scope(|scope| {
        let starting = images.iter().zip(ports);
        let starting: Vec<_> = starting
            .map(|(image, port)| scope.spawn(|| Board::start(image, port)))
            .collect();
        let boards = starting.into_iter().map(|it| it.join().expect("it starts"));
        boards.collect()
    });
    let romeo = romeo(&server);
    Crowd {
        boards,
        romeo,
        hub,
        gateway,
        arrivals: Vec::new(),
        unconfirmed: Vec::new(),
        _server: server,
    }
}

/// How evenly `counts` are: 1 if all are equal, one over their number if one has everything (Jain's index).
fn evenness(counts: &[usize]) -> f64 {
    let sum: usize = counts.iter().sum();
    let squares: usize = counts.iter().map(|count| count * count).sum();
    (sum * sum) as f64 / (counts.len() * squares.max(1)) as f64
}

#[test]
fn eight_boards_share_a_channel() {
    if peers_skipped() {
        return;
    }
    // Built before the clock starts.
    let _ = firmware();
    let start = Instant::now();
    let mut crowd = crowd();
    crowd.report("up", start);
    befriend(&mut crowd);
    crowd.report("subscribed", start);

    // All want to speak at once, and Romeo with all of them.
    let act = Instant::now();
    for round in 0..ROUNDS {
        for board in 0..BOARDS.len() {
            crowd.say(board, round);
            crowd.ask(board, round);
        }
    }
    crowd.hear_all(0..ROUNDS);
    let half = &crowd.arrivals[..crowd.arrivals.len() / 2];
    let count = |board| half.iter().filter(|(_, it)| *it == board).count();
    let counts: Vec<usize> = (0..BOARDS.len()).map(count).collect();
    println!(
        "when half had come: {counts:?}, evenness {:.2}",
        evenness(&counts)
    );
    // Whoever has the channel says all it has, which is three chats: so four boards at least.
    assert!(counts.iter().filter(|count| **count > 0).count() >= 4);
    crowd.await_receipts(0..ROUNDS);
    crowd.await_confirmations();
    crowd.check_inboxes(0..ROUNDS);
    crowd.report("talked", act);

    let act = Instant::now();
    disturb(&mut crowd);
    crowd.hear_all(ROUNDS..2 * ROUNDS);
    crowd.await_receipts(ROUNDS..2 * ROUNDS);
    crowd.check_inboxes(ROUNDS..2 * ROUNDS);
    crowd.report("disturbed", act);
    let traffic = crowd.hub.traffic();
    let [sent, collided] =
        [&traffic.transmissions, &traffic.collided].map(|it| it.iter().sum::<u64>());
    assert!(collided * 2 < sent, "they do not listen: {traffic:?}");
    let rest = crowd.romeo.rest(Duration::from_secs(2));
    let more: Vec<&String> = rest.iter().filter(|xml| xml.contains("<body")).collect();
    assert!(more.is_empty(), "twice: {more:?}");
}

/// Romeo puts all boards into his roster, and they let him see them.
fn befriend(crowd: &mut Crowd) {
    for board in 0..BOARDS.len() {
        let to = jid(board);
        crowd.romeo.send(&format!(
            "<presence xmlns='jabber:client' to='{to}' type='subscribe'/>"
        ));
    }
    for board in 0..BOARDS.len() {
        let from = jid(board);
        crowd
            .romeo
            .receive(&["<presence", &from, "subscribed"], LIMIT);
    }
    crowd.romeo.send(
        "<iq xmlns='jabber:client' type='get' id='ro-2'><query xmlns='jabber:iq:roster'/></iq>",
    );
    let roster = crowd.romeo.receive(&["ro-2", "result"], LIMIT);
    for board in 0..BOARDS.len() {
        assert!(roster.contains(&jid(board)), "{roster}");
    }
}

/// All speak, and meanwhile every other board loses power once and the gateway is killed once, at moments the seed
/// picks. A component stream has no acknowledgements (XEP-0114), so Romeo is heard by the gateway before it is killed.
fn disturb(crowd: &mut Crowd) {
    let mut dice = Dice::new(SEED);
    for round in ROUNDS..2 * ROUNDS {
        for board in 0..BOARDS.len() {
            crowd.say(board, round);
            crowd.ask(board, round);
        }
    }
    await_component(&mut crowd.romeo, 1);
    for board in (dice.below(2)..BOARDS.len()).step_by(2) {
        // A different moment of the exchange each time: that is the point, so it is a time and not an event.
        std::thread::sleep(Duration::from_millis(dice.below(700) as u64));
        crowd.boards[board].power_off();
        crowd.boards[board].power_on();
    }
    std::thread::sleep(Duration::from_millis(dice.below(2000) as u64));
    crowd.gateway.kill();
    crowd.gateway.restart();
    println!("seed {SEED}: four power cuts and a kill");
}

impl Drop for Crowd {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.report("failed", Instant::now());
            println!("{}", self.gateway.status());
        }
    }
}
