//! What is on a Raspberry Pi Pico 2 with a Waveshare Pico-LoRa-SX1262 under it: an RP2350 and an SX1262. Refuses to know
//! what it is used for.
#![no_std]

use core::convert::Infallible;

use embassy_embedded_hal::adapter::BlockingAsync;
use embassy_futures::select::select3;
use embassy_rp::bind_interrupts;
use embassy_rp::flash::{Blocking, Flash};
use embassy_rp::gpio::{Input, Level, Output, Pull};
use embassy_rp::peripherals::{FLASH, SPI1, TRNG, USB};
use embassy_rp::spi::{self, Spi};
use embassy_rp::trng::{self, Trng};
use embassy_rp::usb::{self, Driver};
use embassy_rp::watchdog::Watchdog;
use embassy_time::{Delay, Duration, Timer};
use embedded_hal_bus::spi::ExclusiveDevice;
pub use longwire_board_common::cortex::reset;
use longwire_board_common::noise::Source;
use longwire_board_common::station::Layout;
use longwire_board_common::usb::{Serial, serial};
use lora_phy::iv::GenericSx126xInterfaceVariant;
use lora_phy::sx126x::{self, Sx126x, Sx1262, TcxoCtrlVoltage};

bind_interrupts!(struct Irqs {
    TRNG_IRQ => trng::InterruptHandler<TRNG>;
    USBCTRL_IRQ => usb::InterruptHandler<USB>;
});

/// After so long without a sign of life the board is reset; erasing a block of flash takes 0.4 s at worst.
const WATCHDOG: Duration = Duration::from_secs(8);
const FLASH_LEN: usize = 4 << 20;

/// As memory.x says.
pub static LAYOUT: Layout = Layout {
    image: 0x3e_f000,
    records: 0x3f_0000..0x40_0000,
};

/// The radio. Its bus does not yield: `LoRaRadio` may be told to stop at any moment, but never within a command.
pub type Chip = Sx126x<
    ExclusiveDevice<BlockingAsync<Spi<'static, SPI1, spi::Blocking>>, Output<'static>, Delay>,
    GenericSx126xInterfaceVariant<Output<'static>, Input<'static>>,
    Sx1262,
>;

/// All of the flash, the program included.
pub type Memory = BlockingAsync<Flash<'static, FLASH, Blocking, FLASH_LEN>>;

/// A console, or the port of a gateway.
pub type Console = Serial<Driver<'static, USB>>;

/// What a program needs.
pub struct Board {
    flash: Memory,
    chip: Chip,
    usb: Driver<'static, USB>,
    watchdog: Dog,
}

impl Board {
    /// Starts clocks and peripherals. To be called once.
    ///
    /// `None` if a pin of the radio cannot be driven.
    pub fn new() -> Option<Self> {
        let p = embassy_rp::init(embassy_rp::config::Config::default());
        let mut bus = spi::Config::default();
        bus.frequency = 8_000_000;
        let bus = Spi::new_blocking(p.SPI1, p.PIN_10, p.PIN_11, p.PIN_12, bus);
        let select = Output::new(p.PIN_3, Level::High);
        // DIO2 of the chip switches the antenna.
        let pins = GenericSx126xInterfaceVariant::new(
            Output::new(p.PIN_15, Level::High),
            Input::new(p.PIN_20, Pull::None),
            Input::new(p.PIN_2, Pull::None),
            None,
            None,
        );
        let radio = sx126x::Config {
            chip: Sx1262,
            tcxo_ctrl: Some(TcxoCtrlVoltage::Ctrl1V7),
            use_dcdc: true,
            rx_boost: true,
        };
        let spi = ExclusiveDevice::new(BlockingAsync::new(bus), select, Delay).ok()?;
        let mut watchdog = Watchdog::new(p.WATCHDOG);
        watchdog.pause_on_debug(true);
        watchdog.start(WATCHDOG);
        let rng = Trng::new(p.TRNG, Irqs, trng::Config::default());
        NOISE.put(rng);
        Some(Self {
            flash: BlockingAsync::new(Flash::new_blocking(p.FLASH)),
            chip: Sx126x::new(spi, pins.ok()?, radio),
            usb: Driver::new(p.USB, Irqs),
            watchdog: Dog(watchdog),
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
struct Dog(Watchdog);

impl Dog {
    /// Feeds it, for ever.
    async fn feed(mut self) -> Infallible {
        loop {
            self.0.feed(WATCHDOG);
            Timer::after_secs(1).await;
        }
    }
}

static NOISE: Source<Trng<'static, TRNG>> = Source::new();

/// Fills the array from the hardware's source of noise; false before [`Board::new`].
pub fn noise(octets: &mut [u8; 32]) -> bool {
    NOISE.draw(|rng| rng.blocking_fill_bytes(octets))
}
