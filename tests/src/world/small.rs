//! Small worlds, all of them: one client, polling and a WebSocket, and every order of few steps of
//! an upgrade, of messages in both directions and of the ways to end.

use crate::choices::Choices;

use super::wire;
use super::{Checked, Options, Trace, Violation, World, ensure};

/// What one step can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Move {
    /// The client opens a WebSocket and asks on it.
    Probe,
    /// Bytes of the WebSocket arrive at the server.
    Up,
    /// Bytes of the WebSocket arrive at the client, which acts on them.
    Down,
    /// The client's GET goes on, or it begins another.
    Get,
    /// The client says something, by a POST that is taken at once or by the WebSocket.
    Say,
    /// The application says something.
    Emit,
    /// The application closes the connection.
    Close,
    /// The second transport breaks.
    Break,
    /// The time of a ping, a pong or an upgrade comes.
    Wait,
}

const MOVES: [Move; 9] = [
    Move::Probe,
    Move::Up,
    Move::Down,
    Move::Get,
    Move::Say,
    Move::Emit,
    Move::Close,
    Move::Break,
    Move::Wait,
];

/// Runs every world of `length` moves that begins with an upgrade; how many there were.
///
/// # Errors
///
/// The first violation, with its moves.
pub fn run_all(length: u32) -> Result<usize, Violation> {
    let others = length.saturating_sub(1);
    let count = MOVES.len().pow(others);
    for number in 0..count {
        let digits = (0..others).map(|place| number / MOVES.len().pow(place) % MOVES.len());
        let moves: Vec<Move> =
            std::iter::once(Move::Probe).chain(digits.map(|digit| MOVES[digit])).collect();
        run_moves(&moves).map_err(|violation| Violation {
            detail: format!("{moves:?}: {}", violation.detail),
            ..violation
        })?;
    }
    Ok(count)
}

fn run_moves(moves: &[Move]) -> Checked {
    // All decisions are the first: one shard, one honest client on polling, generous limits.
    let mut choices = Choices::new(&[]);
    let mut trace = Trace::new(false);
    let mut world = World::new(&mut choices, &Options::default(), &mut trace);
    world.clients[0].honest = true;
    world.open(0, true)?;
    world.clients[0].session = Some(0);
    world.clients[0].get = Some(super::network::Get { has_arrived: true, answer: None });
    world.get_arrives(0)?;
    world.say(0, wire::of_namespace("40", "/"));
    world.clients[0].spaces[0] = super::client::Space::Asked;
    world.come_to_rest()?;
    ensure!(world.clients[0].spaces[0] == super::client::Space::In, "small", "it has not joined");
    for next in moves {
        world.trace.step();
        world.do_move(*next)?;
        world.check()?;
    }
    world.finish()
}

impl World<'_, '_> {
    fn do_move(&mut self, next: Move) -> Checked {
        let Some(session) = self.clients[0].session else { return Ok(()) };
        let links = self.sessions[session].links.len();
        match next {
            Move::Probe => self.begin_upgrade(0),
            Move::Up => {
                for link in 0..links {
                    self.up(session, link, usize::MAX)?;
                }
                Ok(())
            }
            Move::Down => {
                self.collect_named();
                self.serve(session, usize::MAX)?;
                for link in 0..links {
                    self.down(0, link, usize::MAX)?;
                }
                self.flush(0)
            }
            Move::Get => {
                self.flush(0)?;
                self.get_goes_on(0)?;
                self.get_goes_on(0)
            }
            Move::Say => {
                self.emit_to_server(0, 0, true);
                self.flush(0)?;
                self.post_goes_on(0, usize::MAX)?;
                self.post_goes_on(0, 1 << 20)?;
                self.post_goes_on(0, 0)
            }
            Move::Emit => self.emit(0, true),
            Move::Close => self.close(0),
            Move::Break => {
                if links > 0 {
                    self.cut(0, session, links - 1, true);
                }
                Ok(())
            }
            Move::Wait => {
                let now = self.now;
                let next = self.next_deadline().map_or(0, |due| due.saturating_sub(now));
                self.wait(next, false)
            }
        }
    }
}
