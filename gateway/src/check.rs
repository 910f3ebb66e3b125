//! Is this configuration going to work here? Tries what `run` will need, changes nothing that stays, and says for
//! each thing `ok`, `warn` or `FAIL` with what to do. Refuses to guess: what it cannot try it does not mention.

mod files;
mod modem;
mod xmpp;

use std::fmt;
use std::os::unix::net::UnixStream;
use std::path::Path;

use crate::config::Config;
use crate::exit::{Exit, Failure};

/// How one thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It will work.
    Ok,
    /// It will work, but not as one might think.
    Warn,
    /// It will not work.
    Fail,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "FAIL",
        })
    }
}

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How it is.
    pub verdict: Verdict,
    /// What was tried: `peer field`, `modem hf`.
    pub subject: String,
    /// What was found.
    pub said: String,
    /// What to do about it; empty when fine.
    pub advice: String,
    /// The exit code a failure here leads to.
    exit: Exit,
}

/// Everything found, in the order it was tried.
#[derive(Debug, Default)]
pub struct Report {
    findings: Vec<Finding>,
}

impl Report {
    /// The lines.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The gravest exit code: that of the first failure.
    pub fn exit(&self) -> Exit {
        let failed = self.findings.iter().find(|it| it.verdict == Verdict::Fail);
        failed.map_or(Exit::Ok, |it| it.exit)
    }

    fn ok(&mut self, subject: impl Into<String>, said: impl Into<String>) {
        self.add(
            Verdict::Ok,
            Exit::Ok,
            subject.into(),
            said.into(),
            String::new(),
        );
    }

    fn warn(
        &mut self,
        subject: impl Into<String>,
        said: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.add(
            Verdict::Warn,
            Exit::Ok,
            subject.into(),
            said.into(),
            advice.into(),
        );
    }

    fn fail(
        &mut self,
        exit: Exit,
        subject: impl Into<String>,
        said: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.add(
            Verdict::Fail,
            exit,
            subject.into(),
            said.into(),
            advice.into(),
        );
    }

    fn add(&mut self, verdict: Verdict, exit: Exit, subject: String, said: String, advice: String) {
        self.findings.push(Finding {
            verdict,
            subject,
            said,
            advice,
            exit,
        });
    }

    /// For machines: a list of objects.
    pub fn json(&self) -> serde_json::Value {
        let lines = self.findings.iter().map(|it| {
            serde_json::json!({
                "verdict": it.verdict.to_string().to_lowercase(),
                "subject": it.subject,
                "said": it.said,
                "advice": it.advice,
            })
        });
        lines.collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self
            .findings
            .iter()
            .map(|it| it.subject.chars().count())
            .max()
            .unwrap_or(0);
        for it in &self.findings {
            writeln!(f, "{:<5}{:<width$}  {}", it.verdict, it.subject, it.said)?;
            if !it.advice.is_empty() {
                writeln!(f, "     {:<width$}  try: {}", "", it.advice)?;
            }
        }
        Ok(())
    }
}

/// Reads the configuration and tries everything it names.
///
/// # Errors
/// The configuration cannot be read at all.
pub fn check(path: &Path) -> Result<Report, Failure> {
    let config = Config::load(path)?;
    let mut report = Report::default();
    let count =
        |many: usize, one: &str| format!("{many} {one}{}", if many == 1 { "" } else { "s" });
    report.ok(
        "configuration",
        format!(
            "{}: {}, {}, {}, {}",
            path.display(),
            count(config.components.len(), "component"),
            count(config.hosted.len(), "hosted domain"),
            count(config.modems.len(), "modem"),
            count(config.peers.len(), "peer"),
        ),
    );
    if config.peers.is_empty() {
        report.warn(
            "configuration",
            "nothing to talk to",
            "add a [[modem]] and a [[peer]]",
        );
    }
    if config.components.is_empty() && config.hosted.is_empty() {
        report.warn(
            "configuration",
            "nobody to talk for",
            "add a [[component]] or a [[hosted]] domain",
        );
    }
    let running = UnixStream::connect(&config.gateway.control_socket).is_ok();
    if running {
        let said = "a gateway is running on this configuration: ports, modems and secrets are in its hands";
        report.warn(
            "gateway",
            said,
            "longwire status shows how they are; stop it to try them here",
        );
    }
    files::check(&config, &mut report);
    xmpp::check(&config, running, &mut report);
    modem::check(&config, running, &mut report);
    Ok(report)
}
