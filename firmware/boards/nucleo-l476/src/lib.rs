//! What is on a Nucleo-L476RG with a Semtech SX1262MB2CAS shield on it. Refuses to know what it is used for.
#![no_std]

use core::convert::Infallible;

use embassy_embedded_hal::adapter::BlockingAsync;
use embassy_futures::select::select;
use embassy_stm32::exti::{self, ExtiInput};
use embassy_stm32::flash::{Blocking, Flash};
use embassy_stm32::gpio::{Level, Output, Pull, Speed};
use embassy_stm32::mode::{self, Async};
use embassy_stm32::peripherals::{self, IWDG, USART2};
use embassy_stm32::rng::{self, Rng};
use embassy_stm32::spi::{self, Spi};
use embassy_stm32::time::Hertz;
use embassy_stm32::usart::{self, BufferedUart, BufferedUartRx, BufferedUartTx};
use embassy_stm32::wdg::IndependentWatchdog;
use embassy_stm32::{Config, bind_interrupts, interrupt, rcc};
use embassy_time::{Delay, Timer};
use embedded_hal_bus::spi::ExclusiveDevice;
pub use longwire_board_common::cortex::reset;
use longwire_board_common::noise::Source;
use longwire_board_common::port::Port;
use longwire_board_common::station::Layout;
use lora_phy::iv::GenericSx126xInterfaceVariant;
use lora_phy::sx126x::{self, Sx126x, Sx1262};
use static_cell::ConstStaticCell;

bind_interrupts!(struct Irqs {
    EXTI3 => exti::InterruptHandler<interrupt::typelevel::EXTI3>;
    EXTI4 => exti::InterruptHandler<interrupt::typelevel::EXTI4>;
    RNG => rng::InterruptHandler<peripherals::RNG>;
    USART2 => usart::BufferedInterruptHandler<USART2>;
});

/// After so long without a sign of life the board is reset; erasing a block of flash takes 25 ms.
const WATCHDOG_US: u32 = 8_000_000;

/// As memory.x says.
pub static LAYOUT: Layout = Layout {
    image: 0xef000,
    records: 0xf0000..0x10_0000,
};

/// The radio. Its bus does not yield: `LoRaRadio` may be told to stop at any moment, but never within a command.
pub type Chip = Sx126x<
    ExclusiveDevice<
        BlockingAsync<Spi<'static, mode::Blocking, spi::mode::Master>>,
        Output<'static>,
        Delay,
    >,
    GenericSx126xInterfaceVariant<Output<'static>, ExtiInput<'static, Async>>,
    Sx1262,
>;

/// All of the flash, the program included.
pub type Memory = BlockingAsync<Flash<'static, Blocking>>;

/// A console, or the port of a gateway.
pub type Console = Port<BufferedUartRx<'static>, BufferedUartTx<'static>>;

/// What a program needs.
pub struct Board {
    flash: Memory,
    chip: Chip,
    uart: BufferedUart<'static>,
    watchdog: Dog,
}

impl Board {
    /// Starts clocks and peripherals. To be called once.
    ///
    /// `None` if a pin of the radio cannot be driven, or the UART has no such rate.
    pub fn new() -> Option<Self> {
        static OUT: ConstStaticCell<[u8; 64]> = ConstStaticCell::new([0; 64]);
        // The longest line, and more than the longest frame of a gateway.
        static IN: ConstStaticCell<[u8; 512]> = ConstStaticCell::new([0; 512]);
        let p = embassy_stm32::init(clocks());
        let mut bus = spi::Config::default();
        bus.frequency = Hertz(8_000_000);
        let bus = Spi::new_blocking(p.SPI1, p.PA5, p.PA7, p.PA6, bus);
        let select = Output::new(p.PA8, Level::High, Speed::High);
        // The antenna switch of the shield has power as long as the pin is driven: for ever.
        core::mem::forget(Output::new(p.PA9, Level::High, Speed::Low));
        let pins = GenericSx126xInterfaceVariant::new(
            Output::new(p.PA0, Level::High, Speed::Low),
            ExtiInput::new(p.PB4, p.EXTI4, Pull::Down, Irqs),
            ExtiInput::new(p.PB3, p.EXTI3, Pull::None, Irqs),
            None,
            None,
        );
        // A crystal, and DIO2 of the chip switches the antenna.
        let radio = sx126x::Config {
            chip: Sx1262,
            tcxo_ctrl: None,
            use_dcdc: true,
            rx_boost: true,
        };
        let spi = ExclusiveDevice::new(BlockingAsync::new(bus), select, Delay).ok()?;
        let uart = BufferedUart::new(
            p.USART2,
            p.PA3,
            p.PA2,
            OUT.take(),
            IN.take(),
            Irqs,
            usart::Config::default(),
        );
        let mut watchdog = IndependentWatchdog::new(p.IWDG, WATCHDOG_US);
        watchdog.unleash();
        let rng = Rng::new(p.RNG, Irqs);
        NOISE.put(rng);
        Some(Self {
            flash: BlockingAsync::new(Flash::new_blocking(p.FLASH)),
            chip: Sx126x::new(spi, pins.ok()?, radio),
            uart: uart.ok()?,
            watchdog: Dog(watchdog),
        })
    }

    /// Does `work` with flash, radio and the debugger's serial port, 115200 bit/s, until it ends: then reset the board.
    pub fn run<F: Future>(self, work: impl FnOnce(Memory, Chip, Console) -> F) -> impl Future {
        let (to_host, from_host) = self.uart.split();
        let work = work(self.flash, self.chip, Port::new(from_host, to_host));
        select(self.watchdog.feed(), work)
    }
}

/// 72 MHz from the internal oscillator, 48 MHz for the noise source.
fn clocks() -> Config {
    let mut config = Config::default();
    config.rcc.hsi = true;
    config.rcc.pll = Some(rcc::Pll {
        source: rcc::PllSource::HSI,
        prediv: rcc::PllPreDiv::DIV1,
        mul: rcc::PllMul::MUL18,
        divp: None,
        divq: Some(rcc::PllQDiv::DIV6),
        divr: Some(rcc::PllRDiv::DIV4),
    });
    config.rcc.sys = rcc::Sysclk::PLL1_R;
    config.rcc.mux.clk48sel = rcc::mux::Clk48sel::PLL1_Q;
    config
}

/// Resets the board when [`Dog::feed`] no longer runs.
struct Dog(IndependentWatchdog<'static, IWDG>);

impl Dog {
    /// Feeds it, for ever.
    async fn feed(mut self) -> Infallible {
        loop {
            self.0.pet();
            Timer::after_secs(1).await;
        }
    }
}

static NOISE: Source<Rng<'static, peripherals::RNG>> = Source::new();

/// Fills the array from the hardware's source of noise; false before [`Board::new`].
pub fn noise(octets: &mut [u8; 32]) -> bool {
    NOISE.draw(|rng| rng.fill_bytes(octets))
}
