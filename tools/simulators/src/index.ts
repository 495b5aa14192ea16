export { compareTrade, readSeenEvent, type SeenEvent, type SeenOrder, type SeenTrade } from './compare-trade.js';
export { type ExpectedEvent } from './expected-events.js';
export { type ExpectedOrder, type ExpectedOutcome, type SimulatedMessage } from './messages.js';
export { simulateTrade, type SimulatedTrade, type TradeOptions } from './simulate-trade.js';
export { type Handling } from './world.js';
