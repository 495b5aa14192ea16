export { compareTrade, readSeenEvent, type SeenEvent, type SeenOrder, type SeenTrade } from './compare-trade.js';
export { bytesOf, changed, contractIdOf, DealMaker, sign, type Deal, type DealTimes } from './deal.js';
export { eventsOfContract, servedSides, type ExpectedEvent } from './expected-events.js';
export { FAULTS, type FaultCode } from './faults.js';
export { type ExpectedOrder, type ExpectedOutcome, type SimulatedMessage } from './messages.js';
export { publishedFaults } from './published-faults.js';
export { Random } from './random.js';
export { simulateTrade, type SimulatedTrade, type TradeOptions } from './simulate-trade.js';
export { HANDLING, paymentAccounts, World, type Handling } from './world.js';
