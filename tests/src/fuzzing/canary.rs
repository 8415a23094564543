//! A body with a planted bug.

/// Panics for inputs that begin with one word. Guessing it takes some billions of attempts; led by
/// the branches that an input takes, the fuzzer finds it letter by letter, in seconds.
pub(super) fn run(bytes: &[u8]) {
    if bytes.first() == Some(&b'b')
        && bytes.get(1) == Some(&b'i')
        && bytes.get(2) == Some(&b'r')
        && bytes.get(3) == Some(&b'd')
    {
        panic!("the planted bug was found");
    }
}
