//! The Python environment of the real clients: one virtual environment below the build folder, with
//! the pinned packages of tests/peers/requirements.txt. Refuses to touch the system's packages.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::process::require;

const REQUIREMENTS: &str = include_str!("../peers/requirements.txt");

/// A command that runs `script` of tests/peers in the environment, which is made at first use.
pub fn script(script: &str) -> Command {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    let python = PYTHON.get_or_init(prepare);
    let mut command = Command::new(python);
    command
        .arg("-u")
        .arg(peers().join(script))
        .env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// The folder of the Python drivers.
pub fn peers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers")
}

/// The profile's folder below the build folder (`target/debug`): test programs lie in its `deps`.
pub fn profile_folder() -> PathBuf {
    let program = std::env::current_exe().expect("own path");
    let deps = program.parent().expect("a program lies in a folder");
    deps.parent().expect("the folder is `deps`").to_owned()
}

/// Makes the environment unless it is there with the same requirements; one process at a time.
fn prepare() -> PathBuf {
    let folder = profile_folder().with_file_name("peers");
    std::fs::create_dir_all(&folder).expect("folder for the Python environment");
    let lock = File::create(folder.join("lock")).expect("lock file");
    lock.lock().expect("lock");
    let (environment, stamp) = (folder.join("venv"), folder.join("installed.txt"));
    let python = environment.join("bin/python");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == REQUIREMENTS) {
        return python;
    }
    require("python3", "python3");
    let venv = ["-m", "venv", "--clear"];
    run(
        Command::new("python3").args(venv).arg(&environment),
        "python3-venv",
    );
    let pip = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "-r",
    ];
    run(
        Command::new(&python)
            .args(pip)
            .arg(peers().join("requirements.txt")),
        "network access",
    );
    std::fs::write(&stamp, REQUIREMENTS).expect("stamp written");
    python
}

fn run(command: &mut Command, needs: &str) {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        panic!("{command:?} failed (needs {needs}; .ci/test installs packages):\n{said}");
    }
}
