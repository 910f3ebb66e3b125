//! A deployment's own dictionary, for a build that links it. Refuses what that build could not read on a board.

use longwire_codec::dictionary::file::{File, FileError};

/// Octets of a text model from which on only hosts read it.
const TEXT_MAX: usize = 1 << 20;

/// The dictionary in `bytes`, for `tables`; `hosts` if the build reads large text models.
pub(crate) fn read<'b>(
    path: &str,
    bytes: &'b [u8],
    tables: u32,
    hosts: bool,
) -> Result<File<'b>, String> {
    let large = || {
        format!(
            "{path}: its text model is for hosts, a board's is smaller than 1 MiB; train it again with --text-size"
        )
    };
    let file = File::parse(bytes).map_err(|error| match error {
        FileError::Text if !hosts && bytes.len() >= TEXT_MAX => large(),
        error => format!("{path}: {error}"),
    })?;
    if !hosts && file.text.len() >= TEXT_MAX {
        return Err(large());
    }
    if file.tables != tables {
        return Err(format!(
            "{path}: made for other tables than these; train it again"
        ));
    }
    Ok(file)
}
