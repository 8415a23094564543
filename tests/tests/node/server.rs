//! `server-for-clients.mjs`, as a process.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use sansocket_tests::client::{PATIENCE, in_time};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Client;

/// Ends with the test.
pub(crate) struct Node {
    child: Child,
    pub(crate) address: SocketAddr,
    settings: Vec<(&'static str, &'static str)>,
}

/// For delays that are not what a test is about.
pub(crate) const DELAY: Duration = Duration::from_millis(20);

impl Node {
    pub(crate) fn start(settings: &[(&'static str, &'static str)]) -> Self {
        let (child, address) = spawn(settings, 0);
        Self { child, address, settings: settings.to_vec() }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Kills it, without a word to anybody.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    /// Another one where it was.
    pub(crate) fn restart(&mut self) {
        (self.child, self.address) = spawn(&self.settings, self.address.port());
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "kill -s {name}");
    }

    /// A client that nothing happens to.
    pub(crate) async fn control(&self) -> Control {
        let builder = Client::builder(self.url("/control"));
        Control(in_time("the control", builder.connect()).await.expect("it connects"))
    }
}

fn spawn(settings: &[(&str, &str)], port: u16) -> (Child, SocketAddr) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("interop/server-for-clients.mjs");
    let mut node = Command::new("node");
    node.arg(script).env("PORT", port.to_string()).envs(settings.iter().copied());
    let mut child = node.stdout(Stdio::piped()).spawn().expect("node is installed");
    let mut line = String::new();
    let output = child.stdout.take().expect("it is piped");
    BufReader::new(output).read_line(&mut line).expect("it says where it listens");
    let address = line.trim().strip_prefix("listening on ").and_then(|line| line.parse().ok());
    (child, address.expect("it listens; `npm ci` in tests/interop installs what it needs"))
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have been killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) struct Control(Client);

impl Control {
    pub(crate) async fn ask<T: DeserializeOwned>(&self, event: &str, args: &impl Serialize) -> T {
        self.0.emit_with_ack(event, args, PATIENCE).await.expect("it answers")
    }

    /// Emits to all sockets of `/`.
    pub(crate) async fn emit(&self, event: &str, args: &impl Serialize) {
        let () = self.ask("emit", &(event, args)).await;
    }
}
