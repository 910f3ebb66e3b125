//! `longwire`: see `longwire --help`.

fn main() -> std::process::ExitCode {
    longwire::cli::main()
}
