//! Where the play takes place: a folder that is gone afterwards, two configurations in it as an operator would write
//! them, accounts. Refuses fixed ports: whatever runs on this machine goes on running.

use std::fs::DirBuilder;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;

use super::client::Login;
use super::{AIR, BIT_RATE};
use crate::clock::Clock;
use crate::config::Config;
use crate::exit::{Exit, Failure};
use crate::keys::Key;
use crate::run::Running;
use crate::xmpp::hosted::accounts;
use crate::xmpp::hosted::store::Store;

/// Of the accounts for people.
pub(super) const GUEST_PASSWORD: &str = "guest";
/// Of the actors.
const PASSWORD: &str = "wherefore";

/// One end.
#[derive(Debug)]
pub(super) struct Site {
    /// The domain hosted there.
    pub(super) domain: String,
    /// Where clients connect.
    pub(super) address: SocketAddr,
    config: Config,
}

/// Both ends.
#[derive(Debug)]
pub(super) struct Scene {
    /// Ashore.
    pub(super) base: Site,
    /// Away.
    pub(super) field: Site,
    folder: Folder,
}

impl Scene {
    /// Makes the folder, keys, configurations and accounts.
    ///
    /// # Errors
    /// The machine gives no folder, port or randomness.
    pub(super) fn set(loss: f64, seed: u64) -> Result<Self, Failure> {
        let folder = Folder::new()?;
        let key = Key::generate()?;
        let air = format!("air:{AIR}?rate={BIT_RATE}&loss={loss}&seed={seed}");
        let [base, field] = ["base", "field"];
        Ok(Self {
            base: Site::new(&folder.0, &key, &air, (base, 0), (field, 1))?,
            field: Site::new(&folder.0, &key, &air, (field, 1), (base, 0))?,
            folder,
        })
    }

    /// Where all of it lies.
    pub(super) fn folder(&self) -> &Path {
        &self.folder.0
    }
}

impl Site {
    fn new(
        folder: &Path,
        key: &Key,
        air: &str,
        (name, station): (&str, u8),
        (peer, peer_station): (&str, u8),
    ) -> Result<Self, Failure> {
        let address = free_port()?;
        key.store(&folder.join(format!("{peer}.key")))?;
        let text = format!(
            "[gateway]\nname = \"{name}\"\nstate-dir = \"{name}\"\n\n\
             [[hosted]]\ndomain = \"{name}.example\"\nlisten = [\"{address}\"]\n\n\
             [[modem]]\nname = \"hf\"\nurl = \"{air}\"\nstation = {station}\n\n\
             [[peer]]\nname = \"{peer}\"\nmodem = \"hf\"\nstation = {peer_station}\n\
             key-file = \"{peer}.key\"\ndomains = [\"{peer}.example\"]\n"
        );
        let path = folder.join(format!("{name}.toml"));
        std::fs::write(&path, text)?;
        DirBuilder::new().mode(0o700).create(folder.join(name))?;
        let config = Config::load(&path)?;
        let site = Self {
            domain: format!("{name}.example"),
            address,
            config,
        };
        let store = Store::open(&site.config.gateway.database).map_err(Failure::running)?;
        for (user, password) in [
            ("juliet", PASSWORD),
            ("romeo", PASSWORD),
            ("guest", GUEST_PASSWORD),
        ] {
            accounts::create(&store, &format!("{user}@{}", site.domain), password)
                .map_err(Failure::running)?;
        }
        Ok(site)
    }

    /// Starts the gateway of this end.
    /// # Errors
    /// What [`crate::run`] says.
    pub(super) async fn start(&self) -> Result<Running, Failure> {
        let store =
            crate::store::Store::open(&self.config.gateway.database).map_err(Failure::running)?;
        let mut running = Running::start(self.config.clone(), store, Clock::system())?;
        running.attach().await?;
        Ok(running)
    }

    /// How an actor logs in here, once the gateway runs.
    ///
    /// # Errors
    /// There is no certificate.
    pub(super) fn login(&self, user: &str) -> Result<Login, Failure> {
        let path = &self.config.hosted[0].certificate;
        let certificate = CertificateDer::from_pem_file(path)
            .map_err(|error| Failure::running(format!("{}: {error}", path.display())))?;
        Ok(Login {
            address: self.address,
            user: user.into(),
            domain: self.domain.clone(),
            resource: "radio".into(),
            password: PASSWORD.into(),
            certificate,
        })
    }
}

/// A port nobody listens on.
fn free_port() -> Result<SocketAddr, Failure> {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map_err(|error| Failure::new(Exit::Xmpp, format!("no free port on 127.0.0.1: {error}")))
}

/// A private folder that is removed with everything in it.
#[derive(Debug)]
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self, Failure> {
        let path = std::env::temp_dir().join(format!("longwire-demo-{}", std::process::id()));
        DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(|error| {
                Failure::running(format!("cannot make {}: {error}", path.display()))
            })?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Nothing to be done about a folder somebody else already removed.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
