//! A LoRa chip that does one thing at a time: send, hear, look for a preamble, sleep. Refuses the driver's own order of
//! commands (`lora_phy::LoRa`), which panics at an interrupt that says nothing while it looks for a preamble.
//!
//! A command is waited for where it is given, which takes the chip some microseconds, four milliseconds at most: only what
//! takes time on the air, and rests, are left to the executor. What a task keeps while it waits there takes memory for good.

use embassy_futures::block_on;
use embedded_hal_async::delay::DelayNs;
use longwire_codec::lora::{Lora, PREAMBLE_SYMBOLS};
use lora_phy::RxMode;
use lora_phy::mod_params::{
    Bandwidth, CodingRate, ModulationParams, PacketParams, RadioError, RadioMode, SpreadingFactor,
};
use lora_phy::mod_traits::{IrqState, RadioKind};

const RECEIVE: RadioMode = RadioMode::Receive(RxMode::Continuous);

/// The chip, and what it is told of the channel.
pub(super) struct Chip<K> {
    kind: K,
    mode: RadioMode,
    power_dbm: i32,
    frequency_hz: u32,
    modulation: ModulationParams,
    receive: PacketParams,
    /// The receiver is set up and stays on from one frame to the next.
    listens: bool,
}

impl<K: RadioKind> Chip<K> {
    /// Starts it.
    pub(super) async fn start(
        mut kind: K,
        delay: &mut impl DelayNs,
        tuned: &Lora,
    ) -> Result<Self, RadioError> {
        let (spreading, bandwidth, rate) =
            modulation(tuned).ok_or(RadioError::InvalidConfiguration)?;
        let modulation =
            kind.create_modulation_params(spreading, bandwidth, rate, tuned.frequency_hz)?;
        let receive = packet(&kind, &modulation, u8::MAX)?;
        kind.reset(delay).await?;
        block_on(async {
            kind.ensure_ready(RadioMode::Sleep).await?;
            kind.set_standby().await?;
            kind.init_lora(false).await?;
            kind.set_tx_power_and_ramp_time(0, None, false).await?;
            kind.calibrate_image(tuned.frequency_hz).await
        })?;
        Ok(Self {
            kind,
            mode: RadioMode::Standby,
            power_dbm: i32::from(tuned.power_dbm),
            frequency_hz: tuned.frequency_hz,
            modulation,
            receive,
            listens: false,
        })
    }

    /// Stops what it does, and tunes it to do something else.
    async fn prepare(&mut self, mode: RadioMode) -> Result<(), RadioError> {
        self.listens = false;
        self.kind.ensure_ready(self.mode).await?;
        if self.mode != RadioMode::Standby {
            self.kind.set_standby().await?;
            self.mode = RadioMode::Standby;
        }
        self.kind.set_modulation_params(&self.modulation).await?;
        self.kind.set_channel(self.frequency_hz).await?;
        self.mode = mode;
        self.kind.set_irq_params(Some(mode)).await
    }

    /// Waits until that is done; through interrupts that say nothing of it. `found`: a preamble, if it looks for one.
    async fn done(&mut self, found: &mut bool) -> Result<(), RadioError> {
        loop {
            self.kind.await_irq().await?;
            let state = self.kind.process_irq_event(self.mode, Some(found), true);
            if let Some(IrqState::Done) = block_on(state)? {
                return Ok(());
            }
        }
    }

    /// Sends a frame.
    pub(super) async fn send(&mut self, frame: &[u8]) -> Result<(), RadioError> {
        block_on(self.begin(frame))?;
        self.done(&mut false).await
    }

    async fn begin(&mut self, frame: &[u8]) -> Result<(), RadioError> {
        self.prepare(RadioMode::Transmit).await?;
        let modulation = Some(&self.modulation);
        self.kind
            .set_tx_power_and_ramp_time(self.power_dbm, modulation, true)
            .await?;
        let len = u8::try_from(frame.len());
        let len = len.map_err(|_| RadioError::PayloadSizeUnexpected(frame.len()))?;
        let packet = packet(&self.kind, &self.modulation, len)?;
        self.kind.set_packet_params(&packet).await?;
        self.kind.set_payload(frame).await?;
        self.kind.do_tx().await
    }

    /// Waits for a frame, and says how long it is. May be dropped at any moment.
    pub(super) async fn hear(&mut self, frame: &mut [u8]) -> Result<usize, RadioError> {
        block_on(self.listen())?;
        // It goes on when this is dropped.
        let done = self.done(&mut false).await;
        let heard = done.and_then(|()| block_on(self.kind.get_rx_payload(&self.receive, frame)));
        self.listens = heard.is_ok();
        heard.map(usize::from)
    }

    async fn listen(&mut self) -> Result<(), RadioError> {
        if !self.listens {
            self.prepare(RECEIVE).await?;
            self.kind.set_packet_params(&self.receive).await?;
        }
        self.listens = false;
        self.kind.do_rx(RxMode::Continuous).await?;
        self.listens = true;
        Ok(())
    }

    /// Whether a preamble is on the channel (channel activity detection).
    pub(super) async fn senses(&mut self) -> Result<bool, RadioError> {
        block_on(async {
            self.prepare(RadioMode::ChannelActivityDetection).await?;
            self.kind.do_cad(&self.modulation).await
        })?;
        let mut found = false;
        self.done(&mut found).await?;
        Ok(found)
    }

    /// Saves power until it is told something else.
    pub(super) async fn sleep(&mut self, delay: &mut impl DelayNs) -> Result<(), RadioError> {
        if self.mode != RadioMode::Sleep {
            self.listens = false;
            block_on(self.kind.ensure_ready(self.mode))?;
            self.kind.set_sleep(true, delay).await?;
            self.mode = RadioMode::Sleep;
        }
        Ok(())
    }
}

/// The form of frames of up to `len` octets.
fn packet(
    kind: &impl RadioKind,
    modulation: &ModulationParams,
    len: u8,
) -> Result<PacketParams, RadioError> {
    kind.create_packet_params(PREAMBLE_SYMBOLS, false, len, true, false, modulation)
}

/// What the chip can be told of `lora`; `None` for a spreading factor or bandwidth it does not have.
fn modulation(lora: &Lora) -> Option<(SpreadingFactor, Bandwidth, CodingRate)> {
    use {Bandwidth as B, CodingRate as R, SpreadingFactor as S};
    let spreading = [S::_5, S::_6, S::_7, S::_8, S::_9, S::_10, S::_11, S::_12];
    let bandwidths = [
        B::_7KHz,
        B::_10KHz,
        B::_15KHz,
        B::_20KHz,
        B::_31KHz,
        B::_41KHz,
        B::_62KHz,
        B::_125KHz,
        B::_250KHz,
        B::_500KHz,
    ];
    let rates = [R::_4_5, R::_4_6, R::_4_7, R::_4_8];
    let spread = |it: &S| it.factor() == u32::from(lora.spreading_factor);
    let band = |it: &B| it.hz() == lora.bandwidth_hz;
    let rate = |it: &R| it.denom() == u32::from(lora.coding_rate);
    Some((
        spreading.into_iter().find(spread)?,
        bandwidths.into_iter().find(band)?,
        rates.into_iter().find(rate)?,
    ))
}
