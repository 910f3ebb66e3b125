//! Runs the federation probe of tests/peers/probe.py and gathers its results.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::process::Process;
use crate::python;

/// What came of every check of one run.
#[derive(Debug, Default)]
pub struct Results {
    /// Name of the check, and why it failed if it did.
    pub checks: BTreeMap<String, Option<String>>,
}

impl Results {
    /// Names and reasons of the failed checks.
    pub fn failed(&self) -> Vec<(&str, &str)> {
        self.checks
            .iter()
            .filter_map(|(name, why)| Some((name.as_str(), why.as_deref()?)))
            .collect()
    }

    /// Panics unless there are `count` checks and all but `excused` passed.
    pub fn assert_passed(&self, count: usize, excused: &[&str]) {
        assert_eq!(
            self.checks.len(),
            count,
            "the probe did not finish: {:?}",
            self.checks
        );
        let failed: Vec<_> = self
            .failed()
            .into_iter()
            .filter(|(name, _)| !excused.contains(name))
            .collect();
        assert!(failed.is_empty(), "failed checks: {failed:#?}");
    }
}

/// A run of the probe.
#[derive(Debug)]
pub struct Probe<'a> {
    /// First user, as [`crate::server::Server::account`] writes it.
    pub a: String,
    /// Second user.
    pub b: String,
    /// How long a check may wait for anything; longer than the slowest answer over the link.
    pub patience: Duration,
    /// Names of the checks to run; none means all.
    pub only: &'a [&'a str],
}

impl Probe<'_> {
    /// Runs to the end, printing each result as it comes; what slixmpp complains of goes to `log`.
    pub fn run(&self, log: &Path) -> Results {
        let mut command = python::script("probe.py");
        command.args([
            &self.a,
            &self.b,
            "--patience",
            &self.patience.as_secs_f64().to_string(),
        ]);
        if !self.only.is_empty() {
            command.args(["--only", &self.only.join(",")]);
        }
        let mut probe = Process::piped("probe", &mut command, log);
        let output = probe.child().stdout.take().expect("piped");
        let mut results = Results::default();
        for line in BufReader::new(output).lines() {
            let line = line.expect("probe prints text");
            let said: Value = serde_json::from_str(&line).expect("probe prints JSON");
            let (Some(name), Some(passed)) = (said["check"].as_str(), said["passed"].as_bool())
            else {
                continue;
            };
            let remark = said["remark"].as_str().unwrap_or_default();
            let verdict = if passed { "ok  " } else { "FAIL" };
            println!(
                "{verdict} {name:24} {:7.2} s  {remark}",
                said["seconds"].as_f64().unwrap_or(0.0)
            );
            results
                .checks
                .insert(name.to_owned(), (!passed).then(|| remark.to_owned()));
        }
        if results.checks.is_empty() {
            panic!("the probe said nothing:\n{}", probe.last_words());
        }
        results
    }
}
