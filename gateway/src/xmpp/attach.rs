//! All attachments of a configuration, started and kept. Refuses to start half: a domain that cannot be hosted is an
//! error; a server that cannot be reached is not, its component tries again.

use thiserror::Error;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::component::{self, State};
use super::hosted::{self, Hosted, HostedError};
use crate::config::{self, Config};
use crate::router::Router;
use crate::xml::Limits;

/// Why the attachments cannot be started.
#[derive(Debug, Error)]
pub enum AttachError {
    /// The secret of a component cannot be read.
    #[error("secret-file of the component for {domain}: {error}")]
    Secret {
        /// First domain of the component.
        domain: String,
        /// What went wrong.
        error: std::io::Error,
    },
    /// A domain cannot be hosted.
    #[error(transparent)]
    Hosted(#[from] HostedError),
}

/// Attachments that are running. They stop when this is dropped.
#[derive(Debug)]
pub struct Attachments {
    /// Component domains and what their connections are doing.
    pub components: Vec<(String, watch::Receiver<State>)>,
    /// Hosted domains.
    pub hosted: Vec<(String, Hosted)>,
    _tasks: JoinSet<()>,
}

impl Attachments {
    /// Starts everything that `config` names.
    ///
    /// # Errors
    /// [`AttachError`]; what was started stops again.
    pub async fn start(config: &Config, router: &Router) -> Result<Self, AttachError> {
        let mut hosted = Vec::new();
        for section in &config.hosted {
            let settings = hosted_settings(section, &config.gateway);
            let running = hosted::start(settings, router.clone()).await?;
            hosted.push((section.domain.clone(), running));
        }
        let mut tasks = JoinSet::new();
        let mut components = Vec::new();
        for section in &config.components {
            for settings in component_settings(section, &config.gateway)? {
                let (state, seen) = watch::channel(State::Connecting);
                components.push((settings.domain.clone(), seen));
                tasks.spawn(component::run(settings, router.clone(), state));
            }
        }
        Ok(Self {
            components,
            hosted,
            _tasks: tasks,
        })
    }

    /// Says goodbye to clients, so that they come back by themselves.
    pub fn shut_down(&self) {
        for (_, hosted) in &self.hosted {
            hosted.shut_down();
        }
    }
}

/// One connection for each domain of a `[[component]]`.
///
/// # Errors
/// [`AttachError::Secret`].
pub fn component_settings(
    section: &config::Component,
    gateway: &config::Gateway,
) -> Result<Vec<component::Settings>, AttachError> {
    let secret = section.read_secret().map_err(|error| AttachError::Secret {
        domain: section.domains.first().cloned().unwrap_or_default(),
        error,
    })?;
    let siblings = component::Siblings::new(section.domains.iter().cloned());
    let settings = section.domains.iter().map(|domain| component::Settings {
        server: section.server.clone(),
        domain: domain.clone(),
        secret: secret.0.clone(),
        reconnect_max: section.reconnect_max,
        limits: limits(gateway),
        siblings: siblings.clone(),
    });
    Ok(settings.collect())
}

/// What hosting a `[[hosted]]` domain needs.
pub fn hosted_settings(section: &config::Hosted, gateway: &config::Gateway) -> hosted::Settings {
    hosted::Settings {
        domain: section.domain.clone(),
        listen: section.listen.clone(),
        listen_tls: section.listen_tls.clone(),
        certificate: section.certificate.clone(),
        private_key: section.private_key.clone(),
        make_certificate: section.make_certificate,
        offline_max: section.offline_max,
        resume_timeout: section.resume_timeout,
        software: gateway.name.clone(),
        database: gateway.database.clone(),
        limits: limits(gateway),
    }
}

fn limits(gateway: &config::Gateway) -> Limits {
    Limits {
        size: usize::try_from(gateway.stanza_size_max).unwrap_or(usize::MAX),
        ..Limits::default()
    }
}
