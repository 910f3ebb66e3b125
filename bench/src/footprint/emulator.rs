//! Stack and instructions, measured by the board's own program in QEMU. Refuses cycles: the emulator counts
//! instructions, one nanosecond of its clock each.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::Command;

/// Octets of the flash that the program finds, and of the memory that begins with it.
const FLASH_LEN: usize = 64 * 1024;
const MEMORY_LEN: u64 = 16 << 20;

/// What the program may print.
const MEASURES: [&str; 17] = [
    "session_octets",
    "link_octets",
    "endpoint_octets",
    "encode_instructions",
    "decode_instructions",
    "encode_first_instructions",
    "decode_first_instructions",
    "encode_stack_octets",
    "decode_stack_octets",
    "endpoint_stack_octets",
    "endpoint_start_stack_octets",
    "console_stack_octets",
    "rekey_asked_instructions",
    "rekey_asking_instructions",
    "rekey_call_instructions",
    "rekey_wipe_instructions",
    "rekey_stack_octets",
];

/// Runs the program at `image`; it prints lines of a measure and its value.
pub(crate) fn run(image: &Path) -> Result<Vec<(&'static str, u64)>, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    File::create(folder.path().join("flash.bin"))
        .and_then(|mut file| {
            file.write_all(&[0xff; FLASH_LEN])?;
            file.set_len(MEMORY_LEN)
        })
        .map_err(|error| error.to_string())?;
    let output = Command::new("qemu-system-arm")
        .arg("-object")
        .arg("memory-backend-file,id=memory,size=16M,mem-path=flash.bin,share=on")
        .args(["-machine", "mps2-an386,memory-backend=memory"])
        .args(["-display", "none", "-monitor", "none"])
        .args(["-serial", "none", "-icount", "shift=0"])
        .args(["-semihosting-config", "enable=on,target=native", "-kernel"])
        .arg(image)
        .current_dir(folder.path())
        .output()
        .map_err(|error| format!("qemu-system-arm does not start: {error}"))?;
    let printed = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        return Err(format!("measuring ended with {}: {printed}", output.status));
    }
    let parse = |line: &str| {
        let (name, value) = line.split_once(' ')?;
        let measure = MEASURES.into_iter().find(|known| *known == name)?;
        Some((measure, value.parse().ok()?))
    };
    printed
        .lines()
        .map(|line| parse(line).ok_or_else(|| format!("measuring printed {line:?}")))
        .collect()
}
