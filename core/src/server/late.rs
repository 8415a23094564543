//! GETs that come after the goodbye of their client.

use alloc::collections::VecDeque;

use crate::engine::PollResponse;
use crate::{Dialect, Sid};

use super::Server;

/// Sessions whose last GET is awaited. The oldest gives way: its client is long gone.
const AWAITED: usize = 64;

/// Sessions on polling that their clients ended while none of their GETs waited.
///
/// A client ends its session by a POST while its GET is under way. The two come on two connections,
/// which nothing orders, and the GET may be served last although it was sent first.
#[derive(Debug, Default)]
pub(super) struct LatePolls(VecDeque<(Sid, Dialect)>);

impl LatePolls {
    pub(super) fn expect(&mut self, sid: Sid, dialect: Dialect) {
        if self.0.len() >= AWAITED {
            self.0.pop_front();
        }
        self.0.push_back((sid, dialect));
    }

    fn take(&mut self, sid: &Sid) -> Option<Dialect> {
        let position = self.0.iter().rposition(|(awaited, _)| awaited == sid)?;
        self.0.remove(position).map(|(_, dialect)| dialect)
    }
}

impl Server {
    /// The answer to a GET of a session that is unknown because its client ended it by a POST that
    /// overtook this GET: the noop that the GET would have had, had it come first. Only one GET of
    /// a session is answered so, and only if none waited when the session ended.
    pub fn take_late_poll_response(&mut self, sid: &Sid) -> Option<PollResponse> {
        self.late_polls.take(sid).map(PollResponse::noop)
    }
}
