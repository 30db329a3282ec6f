//! Checksums of stored values: each value is followed by a CRC-32C of its key and the value, which every read
//! verifies. A damaged value, or one stored under another key, is an error and never an answer.

/// The size of a checksum in bytes.
const N_BYTES: usize = 4;

fn checksum(key: &[u8], value: &[u8]) -> [u8; N_BYTES] {
    crc32c::crc32c_append(crc32c::crc32c(key), value).to_le_bytes()
}

/// Appends the checksum to a value, which gives its stored form.
pub(crate) fn append(key: &[u8], value: &mut Vec<u8>) {
    let checksum = checksum(key, value);
    value.reserve_exact(N_BYTES);
    value.extend_from_slice(&checksum);
}

/// Verifies a stored value and strips its checksum; `None` if it is wrong.
pub(crate) fn check<'a>(key: &[u8], stored: &'a [u8]) -> Option<&'a [u8]> {
    let (value, found) = stored.split_last_chunk::<N_BYTES>()?;
    (*found == checksum(key, value)).then_some(value)
}

/// The checksum of many keys and values, one after the other.
#[derive(Default)]
pub(crate) struct Digest(u32);

impl Digest {
    /// Adds a key and its value. The length of the key is a part, so that no byte moves from one to the other
    /// unnoticed.
    pub(crate) fn add(&mut self, key: &[u8], value: &[u8]) {
        for part in [&key.len().to_le_bytes(), key, &value.len().to_le_bytes(), value] {
            self.0 = crc32c::crc32c_append(self.0, part);
        }
    }

    /// The checksum of what was added.
    pub(crate) fn sum(&self) -> u32 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_of_key_and_value_is_found() {
        for value in [&b""[..], b"x", b"a value that is longer than one word of the processor"] {
            let key = b"\0\x05prod_1";
            let mut stored = value.to_vec();
            append(key, &mut stored);
            assert_eq!(check(key, &stored), Some(value));
            for bit in 0..8 * stored.len() {
                let mut damaged = stored.clone();
                damaged[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(check(key, &damaged), None, "bit {bit} of the value");
            }
            for bit in 0..8 * key.len() {
                let mut other = *key;
                other[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(check(&other, &stored), None, "bit {bit} of the key");
            }
            assert_eq!(check(key, &stored[..stored.len() - 1]), None);
            assert_eq!(check(key, b""), None);
        }
    }
}
