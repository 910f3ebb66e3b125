//! What others would send for the same stanzas. Refuses handicaps: each rival runs at its strongest setting, and its
//! dictionary is trained on training data only.

mod cbor;
pub(crate) mod exi;
pub(crate) mod smaz2;
#[cfg(test)]
mod tests;

use flate2::{Compress, Compression, FlushCompress};
use zstd::stream::raw::{CParameter, Encoder as ZstdStream, InBuffer, Operation, OutBuffer};
use zstd::zstd_safe::FrameFormat;

use super::data::{Line, Side};

/// Octets of the dictionary given to DEFLATE: its whole window.
pub(crate) const DEFLATE_DICTIONARY_BYTES: usize = 32 << 10;

/// Octets of the dictionary given to zstd for stanzas: what `zstd --train` makes.
pub(crate) const ZSTD_DICTIONARY_BYTES: usize = 110 << 10;

/// Octets of samples beyond which more teach the rivals nothing.
const TRAINING_BYTES: usize = 8 << 20;

/// Dictionaries of the rivals, made from training data.
pub(crate) struct Trained {
    /// For DEFLATE, the most useful strings last.
    pub(crate) deflate: Vec<u8>,
    /// For zstd.
    pub(crate) zstd: Vec<u8>,
    /// Schemas for EXI, where it is installed.
    pub(crate) exi: Option<exi::Exi>,
    /// Octets of the samples they were made from.
    pub(crate) octets: usize,
}

impl Trained {
    /// Trains on `samples`, one stanza or text each, evenly thinned to 8 MB; `zstd_bytes` is the size of the larger
    /// dictionary.
    ///
    /// # Errors
    /// Too few samples.
    pub(crate) fn new(mut samples: Vec<&[u8]>, zstd_bytes: usize) -> Result<Self, String> {
        let octets: usize = samples.iter().map(|sample| sample.len()).sum();
        let keep_one_in = octets.div_ceil(TRAINING_BYTES).max(1);
        samples = samples.into_iter().step_by(keep_one_in).collect();
        let train = |bytes| {
            zstd::dict::from_samples(&samples, bytes)
                .map_err(|error| format!("training a zstd dictionary: {error}"))
        };
        let mut deflate = train(DEFLATE_DICTIONARY_BYTES)?;
        // The entropy tables in front of zstd's content mean nothing to DEFLATE.
        deflate.drain(..deflate.len().min(256));
        Ok(Self {
            deflate,
            zstd: train(zstd_bytes)?,
            exi: None,
            octets: samples.iter().map(|sample| sample.len()).sum(),
        })
    }
}

/// Names of the rivals, in the order of [`sizes`]; those of EXI follow, [`exi::MEASURED`] or [`exi::BY_RATIO`].
pub(crate) const NAMES: [&str; 10] = [
    "raw XML",
    "deflate alone",
    "deflate alone, dictionary",
    "deflate stream (XEP-0138)",
    "deflate stream, dictionary, trimmed",
    "zstd -19 alone, dictionary",
    "zstd -19 stream, dictionary",
    "brotli -11 alone",
    "brotli -11 stream",
    "CBOR, integer keys",
];

/// Octets each rival sends for each stanza of one session; one stream per direction.
///
/// # Errors
/// What a library refused.
pub(crate) fn sizes(lines: &[Line], trained: &Trained) -> Result<Vec<Vec<f64>>, String> {
    let mut columns: Vec<Vec<f64>> = vec![Vec::with_capacity(lines.len()); NAMES.len() + 2];
    let mut streams = [Streams::new(trained)?, Streams::new(trained)?];
    let mut zstd = zstd_alone(&trained.zstd)?;
    let exi = exi::sizes(trained.exi.as_ref(), lines)?;
    for (line, [exi, exi_deflated]) in lines.iter().zip(exi) {
        let xml = line.xml.as_bytes();
        let stream = &mut streams[usize::from(line.side == Side::Server)];
        let row = [
            xml.len() as f64,
            deflate_alone(xml, None)?.len() as f64,
            deflate_alone(xml, Some(&trained.deflate))?.len() as f64,
            stream.xep_0138.send(xml)? as f64,
            stream.trimmed.send(xml)? as f64 - 4.0,
            zstd.compress(xml).map_err(text)?.len() as f64,
            stream.zstd(xml)? as f64,
            brotli_alone(xml)?.len() as f64,
            stream.brotli(xml)? as f64,
            cbor::encode(&line.element).len() as f64,
            exi,
            exi_deflated,
        ];
        columns
            .iter_mut()
            .zip(row)
            .for_each(|(column, size)| column.push(size));
    }
    Ok(columns)
}

/// Octets of the two best rivals only, the streams with dictionaries: DEFLATE, zstd.
///
/// # Errors
/// As [`sizes`].
pub(crate) fn streams(lines: &[Line], trained: &Trained) -> Result<Vec<Vec<f64>>, String> {
    let mut streams = [Streams::new(trained)?, Streams::new(trained)?];
    let mut columns = vec![Vec::new(), Vec::new()];
    for line in lines {
        let stream = &mut streams[usize::from(line.side == Side::Server)];
        columns[0].push(stream.trimmed.send(line.xml.as_bytes())? as f64 - 4.0);
        columns[1].push(stream.zstd(line.xml.as_bytes())? as f64);
    }
    Ok(columns)
}

/// zstd for one stanza or text at a time, without what a link need not say each time: magic number, dictionary id,
/// checksum, content size.
///
/// # Errors
/// What the library refused.
pub(crate) fn zstd_alone(dictionary: &[u8]) -> Result<zstd::bulk::Compressor<'static>, String> {
    let mut zstd = zstd::bulk::Compressor::with_dictionary(19, dictionary).map_err(text)?;
    for parameter in BARE {
        zstd.set_parameter(parameter).map_err(text)?;
    }
    Ok(zstd)
}

const BARE: [CParameter; 4] = [
    CParameter::Format(FrameFormat::Magicless),
    CParameter::DictIdFlag(false),
    CParameter::ChecksumFlag(false),
    CParameter::ContentSizeFlag(false),
];

fn text(error: impl ToString) -> String {
    error.to_string()
}

/// Streams of one direction of one session.
struct Streams {
    xep_0138: Deflate,
    trimmed: Deflate,
    zstd: ZstdStream<'static>,
    brotli: brotli::CompressorWriter<Vec<u8>>,
    brotli_sent: usize,
}

impl Streams {
    fn new(trained: &Trained) -> Result<Self, String> {
        let mut zstd = ZstdStream::with_dictionary(19, &trained.zstd).map_err(text)?;
        for parameter in BARE {
            zstd.set_parameter(parameter).map_err(text)?;
        }
        Ok(Self {
            xep_0138: Deflate(Compress::new(Compression::best(), true)),
            trimmed: Deflate(deflate(Some(&trained.deflate))?),
            zstd,
            brotli: brotli::CompressorWriter::new(Vec::new(), 1 << 16, 11, 22),
            brotli_sent: 0,
        })
    }

    fn zstd(&mut self, xml: &[u8]) -> Result<usize, String> {
        let mut out = vec![0; xml.len() * 2 + (1 << 10)];
        let mut to = OutBuffer::around(&mut out[..]);
        let mut from = InBuffer::around(xml);
        while from.pos() < xml.len() {
            self.zstd.run(&mut from, &mut to).map_err(text)?;
        }
        while self.zstd.flush(&mut to).map_err(text)? > 0 {}
        Ok(to.pos())
    }

    fn brotli(&mut self, xml: &[u8]) -> Result<usize, String> {
        use std::io::Write;
        self.brotli
            .write_all(xml)
            .and_then(|()| self.brotli.flush())
            .map_err(text)?;
        let sent = self.brotli.get_ref().len();
        Ok(sent - std::mem::replace(&mut self.brotli_sent, sent))
    }
}

struct Deflate(Compress);

impl Deflate {
    /// Octets on the stream for `xml`, flushed so that the far end can read it at once.
    fn send(&mut self, xml: &[u8]) -> Result<usize, String> {
        let mut out = Vec::with_capacity(xml.len() * 2 + (1 << 10));
        self.0
            .compress_vec(xml, &mut out, FlushCompress::Sync)
            .map_err(text)?;
        Ok(out.len())
    }
}

fn deflate(dictionary: Option<&[u8]>) -> Result<Compress, String> {
    let mut deflate = Compress::new(Compression::best(), false);
    if let Some(dictionary) = dictionary {
        deflate.set_dictionary(dictionary).map_err(text)?;
    }
    Ok(deflate)
}

/// Raw DEFLATE for `data` on its own.
pub(crate) fn deflate_alone(data: &[u8], dictionary: Option<&[u8]>) -> Result<Vec<u8>, String> {
    let mut deflate = deflate(dictionary)?;
    let mut out = Vec::with_capacity(data.len() * 2 + (1 << 10));
    deflate
        .compress_vec(data, &mut out, FlushCompress::Finish)
        .map_err(text)?;
    Ok(out)
}

/// Brotli for `data` on its own.
pub(crate) fn brotli_alone(data: &[u8]) -> Result<Vec<u8>, String> {
    let parameters = brotli::enc::BrotliEncoderParams {
        quality: 11,
        lgwin: 22,
        size_hint: data.len(),
        ..Default::default()
    };
    let mut out = Vec::new();
    brotli::BrotliCompress(&mut &data[..], &mut out, &parameters).map_err(text)?;
    Ok(out)
}
