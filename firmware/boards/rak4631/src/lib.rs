//! What is on a RAK4631: an nRF52840 and an SX1262. Refuses to know what it is used for.
#![no_std]

use core::convert::Infallible;

use embassy_embedded_hal::adapter::BlockingAsync;
use embassy_futures::select::select3;
use embassy_nrf::config::{Config, HfclkSource};
use embassy_nrf::gpio::{Input, Level, Output, OutputDrive, Pull};
use embassy_nrf::mode::Blocking;
use embassy_nrf::nvmc::Nvmc;
use embassy_nrf::peripherals::{TWISPI1, USBD};
use embassy_nrf::rng::Rng;
use embassy_nrf::spim::{self, Spim};
use embassy_nrf::usb::Driver;
use embassy_nrf::usb::vbus_detect::{self, HardwareVbusDetect};
use embassy_nrf::wdt::{self, HaltConfig, Watchdog, WatchdogHandle};
use embassy_nrf::{bind_interrupts, usb};
use embassy_time::{Delay, Timer};
use embedded_hal_bus::spi::ExclusiveDevice;
pub use longwire_board_common::cortex::reset;
use longwire_board_common::noise::Source;
use longwire_board_common::station::Layout;
use longwire_board_common::usb::{Serial, serial};
use lora_phy::iv::GenericSx126xInterfaceVariant;
use lora_phy::sx126x::{self, Sx126x, Sx1262, TcxoCtrlVoltage};

bind_interrupts!(struct Irqs {
    TWISPI1 => spim::InterruptHandler<TWISPI1>;
    USBD => usb::InterruptHandler<USBD>;
    CLOCK_POWER => vbus_detect::InterruptHandler;
});

/// After so long without a sign of life the board is reset; erasing a block of flash takes 0.1 s.
const WATCHDOG_S: u32 = 8;

/// As memory-whole.x says.
#[cfg(not(feature = "uf2"))]
pub static LAYOUT: Layout = Layout {
    image: 0xef000,
    records: 0xf0000..0x10_0000,
};
/// As memory-uf2.x says.
#[cfg(feature = "uf2")]
pub static LAYOUT: Layout = Layout {
    image: 0xa4000,
    records: 0xa5000..0xad000,
};

/// The radio. Its bus does not yield: `LoRaRadio` may be told to stop at any moment, but never within a command.
pub type Chip = Sx126x<
    ExclusiveDevice<BlockingAsync<Spim<'static>>, Output<'static>, Delay>,
    GenericSx126xInterfaceVariant<Output<'static>, Input<'static>>,
    Sx1262,
>;

/// All of the flash, the program included.
pub type Memory = BlockingAsync<Nvmc<'static>>;

/// A console, or the port of a gateway.
pub type Console = Serial<Driver<'static, HardwareVbusDetect>>;

/// What a program needs.
pub struct Board {
    flash: Memory,
    chip: Chip,
    usb: Driver<'static, HardwareVbusDetect>,
    watchdog: Dog,
}

impl Board {
    /// Starts clocks and peripherals. To be called once.
    ///
    /// `None` if a pin of the radio cannot be driven.
    pub fn new() -> Option<Self> {
        let mut config = Config::default();
        // USB needs the crystal.
        config.hfclk_source = HfclkSource::ExternalXtal;
        let p = embassy_nrf::init(config);
        let mut bus = spim::Config::default();
        bus.frequency = spim::Frequency::M8;
        let bus = Spim::new(p.TWISPI1, Irqs, p.P1_11, p.P1_13, p.P1_12, bus);
        let select = Output::new(p.P1_10, Level::High, OutputDrive::Standard);
        let pins = GenericSx126xInterfaceVariant::new(
            Output::new(p.P1_06, Level::High, OutputDrive::Standard),
            Input::new(p.P1_15, Pull::Down),
            Input::new(p.P1_14, Pull::None),
            Some(Output::new(p.P1_05, Level::Low, OutputDrive::Standard)),
            Some(Output::new(p.P1_07, Level::Low, OutputDrive::Standard)),
        );
        let radio = sx126x::Config {
            chip: Sx1262,
            tcxo_ctrl: Some(TcxoCtrlVoltage::Ctrl1V8),
            use_dcdc: true,
            rx_boost: true,
        };
        let spi = ExclusiveDevice::new(BlockingAsync::new(bus), select, Delay).ok()?;
        let mut timeout = wdt::Config::default();
        timeout.timeout_ticks = 32_768 * WATCHDOG_S;
        timeout.action_during_debug_halt = HaltConfig::Pause;
        let watchdog = Watchdog::try_new(p.WDT, timeout);
        let rng = Rng::new_blocking(p.RNG);
        rng.set_bias_correction(true);
        NOISE.put(rng);
        Some(Self {
            flash: BlockingAsync::new(Nvmc::new(p.NVMC)),
            chip: Sx126x::new(spi, pins.ok()?, radio),
            usb: Driver::new(p.USBD, Irqs, HardwareVbusDetect::new(Irqs)),
            watchdog: Dog(watchdog.ok().map(|(_, [handle])| handle)),
        })
    }

    /// Does `work` with flash, radio and the serial port that `product` is over USB until it ends: then reset the board.
    pub fn run<F: Future>(
        self,
        product: &'static str,
        work: impl FnOnce(Memory, Chip, Console) -> F,
    ) -> impl Future {
        let (served, console) = serial(self.usb, product);
        let work = work(self.flash, self.chip, console);
        select3(served, self.watchdog.feed(), work)
    }
}

/// Resets the board when [`Dog::feed`] no longer runs.
struct Dog(Option<WatchdogHandle>);

impl Dog {
    /// Feeds it, for ever.
    async fn feed(mut self) -> Infallible {
        loop {
            if let Some(handle) = &mut self.0 {
                handle.pet();
            }
            Timer::after_secs(1).await;
        }
    }
}

static NOISE: Source<Rng<'static, Blocking>> = Source::new();

/// Fills the array from the hardware's source of noise; false before [`Board::new`].
pub fn noise(octets: &mut [u8; 32]) -> bool {
    NOISE.draw(|rng| rng.blocking_fill_bytes(octets))
}
