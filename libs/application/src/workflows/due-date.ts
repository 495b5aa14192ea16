import { addDays, dateOf, type CalendarDate, type Instant, type Micros } from '@v402/domain';
import { daysBefore } from '../days-before.js';

/** The due date is the trigger's UTC date plus whole calendar days (section 5): the same for both sides. */
export function dueDateOf(triggeredAt: Instant, days: number): CalendarDate {
  return addDays(dateOf(triggeredAt), days);
}

/** From when on a leg is asked for: 00:00 UTC of its due date, less the lead time of its rail. */
export function requestTime(dueDate: CalendarDate, leadDays: number): Micros {
  return daysBefore(dueDate, leadDays);
}
