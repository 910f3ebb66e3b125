//! Two gateways and the dictionaries they were given, in virtual time: they settle on the best both have, and say so
//! where one lacks it.

#[path = "support/up.rs"]
mod up;

use std::path::{Path, PathBuf};
use std::time::Duration;

use longwire::config::Config;
use longwire::gateway::{LinkView, Spoken};
use longwire::keys::Key;
use longwire::store::Store;
use longwire_codec::dictionary::file::File;
use longwire_dictionaries::V1_128K;
use longwire_trainer::features::Settings;
use longwire_trainer::text::{self, Language, Line, TextSettings};
use tokio::task::LocalSet;

use up::{Up, body};

const ENDS: [&str; 2] = ["ship.example", "shore.example"];
const REPORT: &str = "Nothing to report from the northern watch, ice 3 km ahead";

/// A dictionary that has read little but knows it well.
fn train(folder: &Path, reports: u32) -> PathBuf {
    let line = |at: u32| Line {
        language: 0,
        text: REPORT.replace('3', &(at % 40).to_string()),
    };
    let lines: Vec<Line> = (0..reports).map(line).collect();
    let settings = TextSettings {
        languages: vec![Language {
            tag: *b"en\0\0",
            chance: 60_000,
        }],
        kinds: 0xff_ffff,
        features: Settings {
            size: 8 << 10,
            survey_log2: 18,
            ..Settings::default()
        },
    };
    let text = text::train(&settings, &lines, &mut |_| {});
    let file = File {
        id: 0,
        tables: V1_128K.tables,
        structure: V1_128K.structure,
        text: &text,
        note: "reports",
    };
    let mut octets = vec![0; file.len()];
    file.emit(&mut octets).expect("room");
    std::fs::create_dir_all(folder).expect("a folder");
    let path = folder.join("ours.dictionary");
    std::fs::write(&path, octets).expect("written");
    path
}

/// One end: its files outlive its process.
struct Site {
    config: Config,
    index: usize,
    database: PathBuf,
}

fn site(folder: &Path, index: usize, air: &str, extra: &str) -> Site {
    let key = folder.join("key");
    if !key.exists() {
        Key([7; 32]).store(&key).expect("a key");
    }
    let text = format!(
        "[[hosted]]\ndomain = '{}'\n\
         [[modem]]\nname = 'hf'\nurl = 'air:{air}'\nstation = {index}\n\
         [[peer]]\nname = 'far'\nmodem = 'hf'\nstation = {}\nkey-file = '{}'\ndomains = ['{}']\n{extra}\n",
        ENDS[index],
        1 - index,
        key.display(),
        ENDS[1 - index],
    );
    Site {
        config: Config::parse(&text, Path::new("site.toml")).expect("a configuration"),
        index,
        database: folder.join(format!("{index}.db")),
    }
}

impl Site {
    fn start(&self) -> Up {
        let store = Store::open(&self.database).expect("a database");
        Up::start(self.config.clone(), store, ENDS[self.index])
    }
}

impl Up {
    async fn say(&self, text: &str) {
        let here = &self.domain;
        let there = ENDS[usize::from(here == ENDS[0])];
        self.send(&format!(
            "<message from='u@{here}' to='u@{there}' type='chat'><body>{text}</body></message>"
        ))
        .await;
    }

    async fn hear(&mut self) -> String {
        let day = Duration::from_secs(24 * 3600);
        body(&self.next(day).await.expect("nothing within a day"))
    }

    fn link(&self) -> LinkView {
        self.running.gateway().borrow().peers()[0].link
    }

    fn spoken(&self) -> Spoken {
        self.link().dictionary
    }

    fn air_octets(&self) -> u64 {
        self.link().air_octets
    }
}

/// What the hello calls it.
fn id(file: &Path) -> u32 {
    let known = longwire::dictionaries::load(file);
    known.expect("a dictionary").dictionary.id
}

/// Reports go both ways; octets each end put on the air for the last of them.
async fn talk(a: &mut Up, b: &mut Up) -> [u64; 2] {
    for round in 0..3 {
        let text = REPORT.replace('3', &round.to_string());
        a.say(&text).await;
        assert_eq!(b.hear().await, text);
        b.say(&text).await;
        assert_eq!(a.hear().await, text);
    }
    let before = [a.air_octets(), b.air_octets()];
    a.say(REPORT).await;
    assert_eq!(b.hear().await, REPORT);
    b.say(REPORT).await;
    assert_eq!(a.hear().await, REPORT);
    [a.air_octets() - before[0], b.air_octets() - before[1]]
}

#[tokio::test(start_paused = true)]
async fn both_have_it_and_speak_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let ours = train(folder.path(), 200);
    let named = format!("dictionaries = ['{}']", ours.display());
    let test = async {
        let mut plain = Vec::new();
        for (air, extra) in [
            ("plain?rate=1200", ""),
            ("ours?rate=1200&loss=0.2&seed=5", &named),
        ] {
            let sites = [0, 1].map(|index| {
                let mut site = site(folder.path(), index, air, extra);
                site.database
                    .set_extension(if extra.is_empty() { "a" } else { "b" });
                site
            });
            let (mut a, mut b) = (sites[0].start(), sites[1].start());
            let octets = talk(&mut a, &mut b).await;
            if extra.is_empty() {
                assert_eq!(a.spoken(), Spoken::Assumed);
                plain = octets.to_vec();
                continue;
            }
            assert_eq!(a.spoken(), Spoken::Agreed("ours.dictionary"));
            assert_eq!(b.spoken(), Spoken::Agreed("ours.dictionary"));
            println!("octets on the air: {plain:?}, with a dictionary of ours {octets:?}");
            assert!(octets.iter().sum::<u64>() < plain.iter().sum::<u64>());
        }
    };
    LocalSet::new().run_until(test).await;
}

#[tokio::test(start_paused = true)]
async fn who_lacks_it_is_spoken_to_in_the_released_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let ours = train(folder.path(), 200);
    let theirs = train(&folder.path().join("far"), 190);
    let named = |path: &Path| format!("dictionaries = ['{}']", path.display());
    // The far end has none, has another version under the same name, or has a smaller text model.
    for (round, (extra, name)) in [
        (String::new(), "v1, 8m"),
        (named(&theirs), "v1, 8m"),
        ("text-model = '512k'".to_owned(), "v1, 512k"),
    ]
    .into_iter()
    .enumerate()
    {
        let test = async {
            let air = format!("lacks{round}?rate=1200&loss=0.2&seed={round}");
            let rooms = folder.path().join(round.to_string());
            std::fs::create_dir(&rooms).expect("a folder");
            // The end with the dictionary is side A in one round, B in the next.
            let (near, far) = (round % 2, 1 - round % 2);
            let near = site(&rooms, near, &air, &named(&ours));
            let far = site(&rooms, far, &air, &extra);
            let (mut near, mut far) = (near.start(), far.start());
            // Packets that were on the air before the hellos are read all the same.
            far.say("first").await;
            near.say("second").await;
            assert_eq!(near.hear().await, "first");
            assert_eq!(far.hear().await, "second");
            talk(&mut near, &mut far).await;
            let (wanted, id) = ("ours.dictionary", id(&ours));
            assert_eq!(near.spoken(), Spoken::Lesser { name, wanted, id });
            let lesser_packets = near.link().lesser_packets;
            assert!(lesser_packets >= 4, "{lesser_packets} are counted");
            if round == 1 {
                let id = self::id(&theirs);
                assert_eq!(far.spoken(), Spoken::Lesser { name, wanted, id });
            }
        };
        LocalSet::new().run_until(test).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_end_that_comes_back_without_it_is_noticed() {
    let folder = tempfile::tempdir().expect("a folder");
    let ours = train(folder.path(), 200);
    let named = format!("dictionaries = ['{}']", ours.display());
    let air = "back?rate=1200&loss=0.1&seed=9";
    let test = async {
        let a = site(folder.path(), 0, air, &named);
        let with = site(folder.path(), 1, air, &named);
        let without = site(folder.path(), 1, air, "");
        let mut a = a.start();
        for (round, far) in [&with, &without, &with].into_iter().enumerate() {
            let mut b = far.start();
            talk(&mut a, &mut b).await;
            let expected = match round {
                1 => Spoken::Lesser {
                    name: "v1, 8m",
                    wanted: "ours.dictionary",
                    id: id(&ours),
                },
                _ => Spoken::Agreed("ours.dictionary"),
            };
            assert_eq!(a.spoken(), expected, "round {round}");
            // The far end is killed with something under way.
            a.say("are you there?").await;
            drop(b);
            let mut b = far.start();
            assert_eq!(b.hear().await, "are you there?");
        }
    };
    LocalSet::new().run_until(test).await;
}

#[tokio::test(start_paused = true)]
async fn what_crosses_is_written_down_only_if_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let air = "capture?rate=1200";
    let mut near = site(folder.path(), 0, air, "");
    let far = site(folder.path(), 1, air, "");
    near.config.gateway.capture = folder.path().join("capture");
    let test = async {
        let (mut near, mut far) = (near.start(), far.start());
        near.say("Ice ahead").await;
        assert_eq!(far.hear().await, "Ice ahead");
        far.say("Seen").await;
        assert_eq!(near.hear().await, "Seen");
    };
    LocalSet::new().run_until(test).await;
    let files: Vec<_> = std::fs::read_dir(folder.path().join("capture"))
        .expect("a folder")
        .map(|entry| entry.expect("readable").path())
        .collect();
    let [file] = &files[..] else {
        panic!("one file for the one end that was asked: {files:?}")
    };
    let mode = std::fs::metadata(file).expect("there").permissions();
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777,
        0o600
    );
    let text = std::fs::read_to_string(file).expect("text");
    let stanzas = longwire_trainer::log::session(&text);
    let ways: Vec<bool> = stanzas.iter().map(|it| it.from_client).collect();
    assert_eq!(ways, [true, false], "{text}");
    assert!(stanzas[1].xml.contains("Seen"), "{text}");
}
