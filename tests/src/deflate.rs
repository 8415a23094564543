//! DEFLATE (RFC 1951), gzip and messages of WebSockets (RFC 7692), read and written in the plainest
//! way: for clients that share no code with the server, and as what its own reader is held to.

/// The largest length of a code, in bits.
const CODE_BITS_MAX: usize = 15;

/// How far back a repetition may reach.
const WINDOW_BYTES: usize = 32 << 10;

/// The order in which the lengths of codes for lengths of codes stand.
const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// For each symbol from 257 on, the shortest length that it stands for; and of how many bits is what
/// is added to it.
const LENGTHS: [(usize, u32); 29] = {
    let mut lengths = [(258, 0); 29];
    let (mut symbol, mut length) = (0, 3);
    while symbol < 28 {
        let bits = if symbol < 8 { 0 } else { symbol as u32 / 4 - 1 };
        lengths[symbol] = (length, bits);
        length += 1 << bits;
        symbol += 1;
    }
    lengths
};

/// What ends it before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// There is no more, and there should be.
    Short,
    /// It is not what the RFC describes.
    Invalid,
    /// It becomes longer than it may.
    TooLong,
}

/// What the sender of a message leaves off (RFC 7692, 7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// Adds what a compressed message of a WebSocket means to `output`, in which is what it may refer to.
/// It may mean so many bytes.
///
/// # Errors
///
/// `output` has what came before the fault.
pub fn read_message(
    data: &[u8],
    output: &mut Vec<u8>,
    message_bytes_max: usize,
) -> Result<(), Fault> {
    let bytes_max = output.len() + message_bytes_max;
    let input = [data, &TAIL].concat();
    let mut reader = Inflate::new(&input);
    let mut is_outside = true;
    loop {
        // What ends with the last block of a stream, or is nothing, lacks its end (7.2.3.4).
        if is_outside && reader.position() == data.len() {
            return Ok(());
        }
        is_outside = reader.block(output, bytes_max)?;
        if reader.position() == input.len() {
            return if is_outside { Err(Fault::Short) } else { Ok(()) };
        }
    }
}

/// A message in one block of the fixed code, without repetitions. It is what was said before with
/// other bits: those of codes begin with the highest.
pub fn write_message(data: &[u8]) -> Vec<u8> {
    let mut bits = vec![false, true, false];
    let mut code =
        |code: u32, count: u32| bits.extend((0..count).rev().map(|n| code >> n & 1 == 1));
    for byte in data {
        match u32::from(*byte) {
            byte @ 0..144 => code(0x30 + byte, 8),
            byte => code(0x190 + byte - 144, 9),
        }
    }
    // The end of the block, and the type of the empty one whose rest is left off.
    code(0, 7);
    code(0, 3);
    let byte = |bits: &[bool]| bits.iter().rev().fold(0, |byte, bit| byte << 1 | u8::from(*bit));
    bits.chunks(8).map(byte).collect()
}

/// What is in a file of gzip (RFC 1952) without names. `None` if it is none.
pub fn gunzip(file: &[u8]) -> Option<Vec<u8>> {
    let content = file.strip_prefix(&[0x1f, 0x8b, 8, 0])?.get(6..)?;
    let (content, trailer) = content.split_last_chunk::<8>()?;
    let mut output = Vec::new();
    let mut reader = Inflate::new(content);
    while !reader.block(&mut output, usize::MAX).ok()? {}
    let sum = crc32(&output).to_le_bytes();
    let length = (output.len() as u32).to_le_bytes();
    let is_whole = reader.position() == content.len() && *trailer == [sum, length].concat()[..];
    is_whole.then_some(output)
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ ((sum & 1) * 0xedb8_8320))
    })
}

/// A reader of one stream of blocks after the other.
#[derive(Debug)]
pub struct Inflate<'a> {
    input: &'a [u8],
    /// The next bit.
    at: usize,
}

impl<'a> Inflate<'a> {
    /// Of all that there is.
    pub fn new(input: &'a [u8]) -> Self {
        Self { input, at: 0 }
    }

    /// The bytes that were looked at.
    pub fn position(&self) -> usize {
        self.at.div_ceil(8)
    }

    /// Reads one block, and adds what is in it to `output`, in which is what it may refer to and which
    /// becomes no longer than so many bytes. Whether it is the last of its stream; what follows then
    /// begins at the next byte.
    ///
    /// # Errors
    ///
    /// `output` has what came before the fault; of what is too long, one byte too many.
    pub fn block(&mut self, output: &mut Vec<u8>, bytes_max: usize) -> Result<bool, Fault> {
        let is_last = self.bits(1)? == 1;
        match self.bits(2)? {
            0 => self.stored(output, bytes_max)?,
            1 => {
                let mut lengths = [8; 288];
                lengths[144..256].fill(9);
                lengths[256..280].fill(7);
                let literals = Codes::new(&lengths).ok_or(Fault::Invalid)?;
                let distances = Codes::new(&[5; 32]).ok_or(Fault::Invalid)?;
                self.compressed(&literals, &distances, output, bytes_max)?;
            }
            2 => {
                let (literals, distances) = self.tables()?;
                self.compressed(&literals, &distances, output, bytes_max)?;
            }
            _ => return Err(Fault::Invalid),
        }
        if is_last {
            self.align();
        }
        Ok(is_last)
    }

    fn stored(&mut self, output: &mut Vec<u8>, bytes_max: usize) -> Result<(), Fault> {
        self.align();
        let (length, complement) = (self.bits(16)?, self.bits(16)?);
        if length != !complement & 0xffff {
            return Err(Fault::Invalid);
        }
        for _ in 0..length {
            let byte = self.bits(8)? as u8;
            push(output, byte, bytes_max)?;
        }
        Ok(())
    }

    fn tables(&mut self) -> Result<(Codes, Codes), Fault> {
        let literals = self.bits(5)? as usize + 257;
        let distances = self.bits(5)? as usize + 1;
        let count = self.bits(4)? as usize + 4;
        if literals > 286 || distances > 30 {
            return Err(Fault::Invalid);
        }
        let mut of_lengths = [0; 19];
        for place in &ORDER[..count] {
            of_lengths[*place] = self.bits(3)? as u8;
        }
        let codes = Codes::new(&of_lengths).filter(Codes::is_complete).ok_or(Fault::Invalid)?;
        let mut lengths = Vec::new();
        while lengths.len() < literals + distances {
            let (length, count) = match self.symbol(&codes)? {
                16 => {
                    let last = lengths.last().copied().ok_or(Fault::Invalid)?;
                    (last, 3 + self.bits(2)?)
                }
                17 => (0, 3 + self.bits(3)?),
                18 => (0, 11 + self.bits(7)?),
                length => (length as u8, 1),
            };
            lengths.extend((0..count).map(|_| length));
        }
        if lengths.len() > literals + distances {
            return Err(Fault::Invalid);
        }
        let (literals, distances) = lengths.split_at(literals);
        // A code of one bit may stand alone, and there need be none at all.
        let is_usable = |codes: &Codes| codes.is_complete() || codes.longest() <= 1;
        let table = |lengths| Codes::new(lengths).filter(is_usable).ok_or(Fault::Invalid);
        Ok((table(literals)?, table(distances)?))
    }

    fn compressed(
        &mut self,
        literals: &Codes,
        distances: &Codes,
        output: &mut Vec<u8>,
        bytes_max: usize,
    ) -> Result<(), Fault> {
        loop {
            let symbol = self.symbol(literals)?;
            match symbol {
                0..256 => push(output, symbol as u8, bytes_max)?,
                256 => return Ok(()),
                _ => {
                    let (length, bits) = *LENGTHS.get(symbol - 257).ok_or(Fault::Invalid)?;
                    let length = length + self.bits(bits)? as usize;
                    let symbol = self.symbol(distances)?;
                    let bits = (symbol as u32 / 2).saturating_sub(1);
                    let base = if symbol < 4 { symbol } else { (2 + symbol % 2) << bits };
                    if symbol > 29 {
                        return Err(Fault::Invalid);
                    }
                    let distance = 1 + base + self.bits(bits)? as usize;
                    debug_assert!(distance <= WINDOW_BYTES, "the codes reach no further");
                    for _ in 0..length {
                        let from = output.len().checked_sub(distance).ok_or(Fault::Invalid)?;
                        push(output, output[from], bytes_max)?;
                    }
                }
            }
        }
    }

    fn symbol(&mut self, codes: &Codes) -> Result<usize, Fault> {
        let (mut code, mut first, mut index) = (0, 0, 0);
        for count in &codes.counts[1..] {
            code = code << 1 | self.bits(1)? as usize;
            if let Some(place) = code.checked_sub(first).filter(|place| place < count) {
                return Ok(codes.symbols[index + place]);
            }
            (index, first) = (index + count, (first + count) << 1);
        }
        Err(Fault::Invalid)
    }

    fn bits(&mut self, count: u32) -> Result<u32, Fault> {
        let mut bits = 0;
        for place in 0..count {
            let byte = self.input.get(self.at / 8).ok_or(Fault::Short)?;
            bits |= u32::from(byte >> (self.at % 8) & 1) << place;
            self.at += 1;
        }
        Ok(bits)
    }

    fn align(&mut self) {
        self.at = self.at.next_multiple_of(8);
    }
}

fn push(output: &mut Vec<u8>, byte: u8, bytes_max: usize) -> Result<(), Fault> {
    output.push(byte);
    if output.len() > bytes_max { Err(Fault::TooLong) } else { Ok(()) }
}

/// A canonical Huffman code.
#[derive(Debug)]
struct Codes {
    /// How many there are of each length.
    counts: [usize; CODE_BITS_MAX + 1],
    /// In the order of their codes.
    symbols: Vec<usize>,
}

impl Codes {
    /// `None` if there are more than fit.
    fn new(lengths: &[u8]) -> Option<Self> {
        let mut symbols: Vec<usize> = (0..lengths.len()).filter(|at| lengths[*at] > 0).collect();
        symbols.sort_by_key(|symbol| lengths[*symbol]);
        let mut counts = [0; CODE_BITS_MAX + 1];
        symbols.iter().for_each(|symbol| counts[usize::from(lengths[*symbol])] += 1);
        let codes = Self { counts, symbols };
        (codes.taken() <= 1 << CODE_BITS_MAX).then_some(codes)
    }

    /// Of all codes of the largest length, how many begin with one of these.
    fn taken(&self) -> usize {
        let of_length = |(length, count): (usize, &usize)| count << (CODE_BITS_MAX - length);
        self.counts.iter().enumerate().skip(1).map(of_length).sum()
    }

    fn is_complete(&self) -> bool {
        self.taken() == 1 << CODE_BITS_MAX
    }

    fn longest(&self) -> usize {
        self.counts.iter().rposition(|count| *count > 0).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests;
