//! What is on a Heltec HT-CT62: an ESP32-C3 and an SX1262. Refuses to know what it is used for.
#![no_std]

use core::convert::Infallible;

use embassy_embedded_hal::adapter::BlockingAsync;
use embassy_futures::select::select3;
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::pipe::Pipe;
use embassy_time::{Delay, Timer};
use embedded_hal_bus::spi::ExclusiveDevice;
use esp_hal::clock::CpuClock;
use esp_hal::gpio::{Input, InputConfig, Level, Output, OutputConfig, Pull};
use esp_hal::peripherals::TIMG1;
use esp_hal::rng::{Trng, TrngSource};
use esp_hal::spi::master::{self, Spi};
use esp_hal::time::{Duration, Rate};
use esp_hal::timer::timg::{MwdtStage, TimerGroup, Wdt};
use esp_hal::uart::{self, Uart, UartRx, UartTx};
use esp_hal::{Async, Blocking};
use esp_storage::FlashStorage;
use longwire_board_common::port::Port;
use longwire_board_common::station::Layout;
use lora_phy::iv::GenericSx126xInterfaceVariant;
use lora_phy::sx126x::{self, Sx126x, Sx1262, TcxoCtrlVoltage};

esp_bootloader_esp_idf::esp_app_desc!();

/// After so long without a sign of life the board is reset; erasing a block of flash takes 0.4 s at worst.
const WATCHDOG: Duration = Duration::from_secs(8);

/// As partitions.csv says.
pub static LAYOUT: Layout = Layout {
    image: 0x3e_f000,
    records: 0x3f_0000..0x40_0000,
};

/// The radio. Its bus does not yield: `LoRaRadio` may be told to stop at any moment, but never within a command.
pub type Chip = Sx126x<
    ExclusiveDevice<BlockingAsync<Spi<'static, Blocking>>, Output<'static>, Delay>,
    GenericSx126xInterfaceVariant<Output<'static>, Input<'static>>,
    Sx1262,
>;

/// All of the flash, the program included.
pub type Memory = BlockingAsync<FlashStorage<'static>>;

/// A console, or the port of a gateway.
pub type Console = Port<&'static Pipe<CriticalSectionRawMutex, HEARD_MAX>, UartTx<'static, Async>>;

/// What a program needs.
pub struct Board {
    flash: Memory,
    chip: Chip,
    uart: (UartRx<'static, Async>, UartTx<'static, Async>),
    watchdog: Dog,
}

impl Board {
    /// Starts clocks, scheduler and peripherals. To be called once.
    ///
    /// `None` if a pin of the radio cannot be driven, or bus or UART have no such rate.
    pub fn new() -> Option<Self> {
        let p = esp_hal::init(esp_hal::Config::default().with_cpu_clock(CpuClock::max()));
        esp_rtos::start(TimerGroup::new(p.TIMG0).timer0, p.FROM_CPU_INTR0);
        let rate = master::Config::default().with_frequency(Rate::from_mhz(8));
        let bus = Spi::new(p.SPI2, rate)
            .ok()?
            .with_sck(p.GPIO10)
            .with_mosi(p.GPIO7)
            .with_miso(p.GPIO6);
        let output = OutputConfig::default();
        let select = Output::new(p.GPIO8, Level::High, output);
        let busy = InputConfig::default();
        // DIO2 of the chip switches the antenna.
        let pins = GenericSx126xInterfaceVariant::new(
            Output::new(p.GPIO5, Level::High, output),
            Input::new(p.GPIO3, busy.with_pull(Pull::Down)),
            Input::new(p.GPIO4, busy),
            None,
            None,
        );
        let radio = sx126x::Config {
            chip: Sx1262,
            tcxo_ctrl: Some(TcxoCtrlVoltage::Ctrl1V8),
            use_dcdc: true,
            rx_boost: true,
        };
        let spi = ExclusiveDevice::new(BlockingAsync::new(bus), select, Delay).ok()?;
        let uart = Uart::new(p.UART0, uart::Config::default())
            .ok()?
            .with_rx(p.GPIO20)
            .with_tx(p.GPIO21)
            .into_async();
        let mut watchdog = TimerGroup::new(p.TIMG1).wdt;
        watchdog.set_timeout(MwdtStage::Stage0, WATCHDOG);
        watchdog.enable();
        // Noise from the converter, for ever: without it and without radio waves the generator is a weak one.
        core::mem::forget(TrngSource::new(p.RNG, p.ADC1));
        Some(Self {
            flash: BlockingAsync::new(FlashStorage::new(p.FLASH)),
            chip: Sx126x::new(spi, pins.ok()?, radio),
            uart: uart.split(),
            watchdog: Dog(watchdog),
        })
    }

    /// Does `work` with flash, radio and UART0, 115200 bit/s, until it ends: then reset the board.
    pub fn run<F: Future>(self, work: impl FnOnce(Memory, Chip, Console) -> F) -> impl Future {
        let (from_host, to_host) = self.uart;
        let work = work(self.flash, self.chip, Port::new(&HEARD, to_host));
        select3(hear(from_host), self.watchdog.feed(), work)
    }
}

/// Beside the 128 octets that the part holds: the longest line, and more than the longest frame of a gateway.
const HEARD_MAX: usize = 384;

/// What came in and was not read yet.
static HEARD: Pipe<CriticalSectionRawMutex, HEARD_MAX> = Pipe::new();

/// Takes in what comes, for ever.
async fn hear(mut from_host: UartRx<'static, Async>) -> Infallible {
    let mut octets = [0; 64];
    loop {
        if let Ok(len) = from_host.read_async(&mut octets).await {
            HEARD.write_all(&octets[..len]).await;
        }
    }
}

/// Resets the board when [`Dog::feed`] no longer runs.
struct Dog(Wdt<TIMG1<'static>>);

impl Dog {
    /// Feeds it, for ever.
    async fn feed(mut self) -> Infallible {
        loop {
            self.0.feed();
            Timer::after_secs(1).await;
        }
    }
}

/// Fills the array from the hardware's source of noise; false before [`Board::new`].
pub fn noise(octets: &mut [u8; 32]) -> bool {
    Trng::try_new().is_ok_and(|source| {
        source.read(octets);
        true
    })
}

/// Starts the board again.
pub fn reset() -> ! {
    esp_hal::system::software_reset()
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    reset()
}
