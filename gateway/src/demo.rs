//! Two gateways, a simulated HF link between them and a scripted conversation, in one process and without hardware.
//! Refuses to cheat: the actors log in over sockets and TLS, and every frame goes through the simulated air.

mod client;
mod compare;
mod pace;
mod pinned;
mod script;
mod site;
mod stage;
mod table;

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::time::Instant;

use crate::exit::Failure;
use crate::modem::air::Medium;
use pace::Pace;
use site::Scene;
use stage::{Stage, Who};
use table::{Row, Table, tenths};

/// Name of the simulated channel.
const AIR: &str = "demo";
/// Rate of the simulated channel, bit/s.
const BIT_RATE: u32 = 300;

/// Silence after which nothing more is taken to come, in the link's time: when nobody waits, and when somebody does.
const SILENCE: [Duration; 2] = [Duration::from_secs(180), Duration::from_secs(5)];

/// Arguments of `longwire demo`.
#[derive(Clone, Debug, Args)]
pub struct Demo {
    /// Play the script as fast as the machine can, print totals, end: 0 only if every stanza arrived exactly once
    /// and intact.
    #[arg(long)]
    once: bool,
    /// Seconds of the link in one second here; 0 for as fast as the machine can.
    #[arg(long, value_name = "TIMES")]
    speed: Option<u32>,
    /// Share of frames the air loses.
    #[arg(long, default_value = "0.05", value_parser = share)]
    loss: f64,
    /// Same seed, same losses.
    #[arg(long, default_value = "7")]
    seed: u64,
}

fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.0..=0.9).contains(&share) {
        Ok(share)
    } else {
        Err("a share from 0 to 0.9".to_owned())
    }
}

/// Plays it.
///
/// # Errors
/// Something did not arrive, or arrived twice, or differs; or the machine gives no port or folder.
pub fn demo(arguments: &Demo, as_json: bool) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::running)?;
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, play(arguments, as_json))
}

async fn play(arguments: &Demo, as_json: bool) -> Result<(), Failure> {
    let scene = Scene::set(arguments.loss, arguments.seed)?;
    let speed = arguments
        .speed
        .unwrap_or(if arguments.once { 0 } else { 1 });
    let pace = Pace::start(speed);
    let gateways = [scene.base.start().await?, scene.field.start().await?];
    if !as_json {
        println!(
            "{} and {} over {BIT_RATE} bit/s half duplex, {} % of frames lost",
            scene.base.domain,
            scene.field.domain,
            arguments.loss * 100.0
        );
    }
    let mut stage = Stage::enter(&scene.base.login("juliet")?, &scene.field.login("romeo")?)
        .await
        .map_err(Failure::running)?;
    let air = Medium::existing(AIR).ok_or_else(|| Failure::running("the air is gone"))?;
    let silence = SILENCE[usize::from(!arguments.once)];
    let told = tell(&mut stage, &air, silence, as_json).await?;
    pace.stop();
    if !arguments.once {
        stay(&scene, stage).await;
    }
    for gateway in gateways {
        gateway.stop().await?;
    }
    told
}

/// The script, its table and its totals.
async fn tell(
    stage: &mut Stage,
    air: &Arc<Medium>,
    silence: Duration,
    as_json: bool,
) -> Result<Result<(), Failure>, Failure> {
    let begun = Instant::now();
    let unanswered = script::arrive(stage).await.map_err(Failure::running)?;
    let at_login = air.traffic().octets;
    if !as_json {
        println!("logins, rosters and disco: {at_login} B on the air\n");
    }
    let mut table = Table::new(as_json);
    let mut counted = at_login;
    let mut note = |passage: &stage::Passage| {
        let octets = air.traffic().octets;
        table.push(Row {
            passage: passage.clone(),
            at: begun.elapsed(),
            air_bytes: octets - counted,
        });
        counted = octets;
    };
    script::play(stage, &mut note)
        .await
        .map_err(Failure::running)?;
    let took = begun.elapsed();
    let surplus = stage.surplus(silence).await;
    let traffic = air.traffic();
    if as_json {
        let value = serde_json::json!({
            "stanzas": table.json(), "intact": table.intact(), "sent": table.len(), "surplus": surplus,
            "xml-bytes": table.xml_bytes(), "air-bytes": traffic.octets, "frames": traffic.frames,
            "frames-lost": traffic.lost, "login-air-bytes": at_login, "seconds": took.as_secs_f64(),
        });
        println!("{value}");
    } else {
        println!(
            "\n{} of {} stanzas arrived intact, {surplus} twice or unasked for\n\
             {} B of XML, {} B on the air in {} frames ({} lost), {} s",
            table.intact(),
            table.len(),
            table.xml_bytes(),
            traffic.octets,
            traffic.frames,
            traffic.lost,
            tenths(took),
        );
    }
    let good = table.intact() == table.len() && surplus == 0 && unanswered == 0;
    Ok(if good {
        Ok(())
    } else {
        Err(
            Failure::running("not every stanza arrived exactly once and intact")
                .advise("the same again with --seed shows the same losses"),
        )
    })
}

/// Leaves both servers up until Ctrl-C; Romeo answers whoever writes to him.
async fn stay(scene: &Scene, stage: Stage) {
    println!("\nBoth servers stay up. Log in with any XMPP client:\n");
    for site in [&scene.base, &scene.field] {
        println!(
            "  {:<22} password {:<8} server 127.0.0.1, port {}",
            format!("guest@{}", site.domain),
            site::GUEST_PASSWORD,
            site.address.port()
        );
    }
    println!(
        "\nSTARTTLS; the certificates are self-signed, so the client asks once whether to trust them. Write to\n\
         {}: he answers, at {BIT_RATE} bit/s. Ctrl-C ends, and removes {}.",
        stage.bare(Who::Romeo),
        scene.folder().display()
    );
    tokio::select! {
        () = stage.answer_everyone(Who::Romeo) => {}
        // Without signals there is still the kill command.
        _ = tokio::signal::ctrl_c() => {}
    }
}
