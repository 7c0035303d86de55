//! A real emulator process for the tests of a crate.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use etl_aws::Clients;

/// A process that speaks as AWS does, for as long as this value lives.
pub(crate) struct Emulator {
    process: Child,
    /// Where it listens.
    pub(crate) endpoint: String,
    /// Clients of it.
    pub(crate) clients: Clients,
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Starts moto; `None`, with a word about it, where `ETL_TEST_PYTHON` names no Python that has it (scripts/test does).
pub(crate) fn start() -> Option<Emulator> {
    let Some(python) = std::env::var_os("ETL_TEST_PYTHON") else {
        eprintln!("SKIPPED: ETL_TEST_PYTHON is not set, so there is no emulator; scripts/test sets it");
        return None;
    };
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let process = Command::new(python)
        // Moto, one request at a time: by itself it lets two transactions on one item both win.
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/emulator.py"))
        .arg(port.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let endpoint = format!("http://127.0.0.1:{port}");
    let emulator = Emulator { process, clients: Clients::of_emulator(&endpoint), endpoint };
    for _ in 0..300 {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Some(emulator);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("the emulator did not start");
}
