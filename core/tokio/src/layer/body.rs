//! The body of a request that may be sent twice: [`ReplayBody`].

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};

/// The body of a request as the service beneath gets it: whole and kept for the next attempt, or
/// as it comes, for one attempt.
///
/// A body is kept if all of it is there when the call begins, and is not longer than
/// [`MOST_KEPT`]. A body that arrives later is a stream, which is sent once.
#[derive(Debug)]
pub struct ReplayBody<B: Body> {
    /// What was read already.
    frames: VecDeque<Frame<Bytes>>,
    /// The error that reading ended in.
    error: Option<B::Error>,
    /// The rest, if there is one.
    rest: Option<B>,
}

/// The most bytes of a body that are kept for the next attempt: 1 MiB.
pub const MOST_KEPT: usize = 1 << 20;

impl<B: Body<Data: Buf> + Unpin> ReplayBody<B> {
    /// Reads as much as there is of `body`.
    pub(super) async fn read(mut body: B) -> Self {
        let mut frames = VecDeque::new();
        let (mut bytes, mut error) = (0, None);
        let is_whole = std::future::poll_fn(|context| {
            loop {
                if bytes > MOST_KEPT {
                    return Poll::Ready(false);
                }
                match Pin::new(&mut body).poll_frame(context) {
                    Poll::Ready(Some(Ok(frame))) => {
                        let frame = frame.map_data(|mut data| data.copy_to_bytes(data.remaining()));
                        bytes += frame.data_ref().map_or(0, Bytes::len);
                        frames.push_back(frame);
                    }
                    Poll::Ready(None) => return Poll::Ready(true),
                    Poll::Ready(Some(Err(failed))) => {
                        error = Some(failed);
                        return Poll::Ready(false);
                    }
                    Poll::Pending => return Poll::Ready(false),
                }
            }
        })
        .await;
        Self { frames, error, rest: (!is_whole).then_some(body) }
    }

    /// A copy for one more attempt, if the whole body is kept.
    pub(super) fn copy(&self) -> Option<Self> {
        if self.rest.is_some() {
            return None;
        }
        let copy = |frame: &Frame<Bytes>| match (frame.data_ref(), frame.trailers_ref()) {
            (Some(data), _) => Frame::data(data.clone()),
            (None, trailers) => Frame::trailers(trailers.cloned().unwrap_or_default()),
        };
        Some(Self { frames: self.frames.iter().map(copy).collect(), error: None, rest: None })
    }
}

impl<B: Body<Data: Buf, Error: Unpin> + Unpin> Body for ReplayBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        if let Some(frame) = self.frames.pop_front() {
            return Poll::Ready(Some(Ok(frame)));
        }
        if let Some(error) = self.error.take() {
            return Poll::Ready(Some(Err(error)));
        }
        let Some(rest) = &mut self.rest else { return Poll::Ready(None) };
        Pin::new(rest)
            .poll_frame(context)
            .map_ok(|frame| frame.map_data(|mut data| data.copy_to_bytes(data.remaining())))
    }

    fn is_end_stream(&self) -> bool {
        self.frames.is_empty()
            && self.error.is_none()
            && self.rest.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let kept: usize = self.frames.iter().filter_map(Frame::data_ref).map(Bytes::len).sum();
        let rest = self.rest.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint);
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower() + kept as u64);
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper + kept as u64);
        }
        hint
    }
}
