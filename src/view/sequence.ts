import { indexAfter } from '../debug/sorted';
import type { OpenTrace } from '../debug/model';
import type { SequenceRow, SequenceView } from '../webview/protocol_faces';
import type { Lanes } from './contexts';
import { english, type Translate } from './machine_names';
import { Actors, columnOf, laneInRequest, type Place } from './sequence_actors';
import { messageRule } from './sequence_messages';
import { EventWords, outcomeOf } from './sequence_words';
import { schemaText } from './texts';

/** Most rows of one answer. */
export const MOST_ROWS = 1000;
const EAGAIN = -11;
const EIOCBQUEUED = -529;

/** Rows of the sequence face: one per event, as messages between actors. */
export class SequenceModel {
  private readonly served: ReadonlySet<string>;
  private readonly hasDisks: boolean;
  private whole: Actors | undefined;

  /** `lanes` are the contexts of the trace. */
  constructor(
    private readonly open: OpenTrace,
    private readonly lanes: Lanes,
    private readonly t: Translate = english,
  ) {
    const { disks } = open.states.at(open.length - 1);
    const mine = disks.filter((disk) => disk.device !== null);
    this.served = new Set(mine.map((disk) => `${disk.major},${disk.minor}`));
    this.hasDisks = disks.length > mine.length;
  }

  /**
   * At most `count` rows around an event: of the whole trace, or of one request, with the columns that it needs. An event that
   * is not the request's stands between the rows nearest to it.
   */
  view(around: number, count: number, request = -1): SequenceView {
    const { open } = this;
    const list = request >= 0 && request < open.requests.length ? open.requests.events(request) : undefined;
    const total = list?.length ?? open.length;
    const size = Math.max(0, Math.min(Math.trunc(count), MOST_ROWS, total));
    const at = list === undefined ? around : Math.max(0, indexAfter(list, around) - 1);
    const from = Math.max(0, Math.min(Math.trunc(at - size / 2), total - size));
    const actors = list === undefined ? this.ofTrace() : this.ofRequest(list);
    const rows: SequenceRow[] = [];
    for (let k = from; k < from + size; k++) rows.push(this.row(list === undefined ? k : list[k], actors));
    return { actors: actors.list, rows, before: from, after: total - from - size };
  }

  private row(e: number, actors: Actors): SequenceRow {
    const { open, lanes } = this;
    const { trace, requests } = open;
    const words = new EventWords(trace, requests, e, this.t);
    const { name } = words;
    const rule = messageRule(name, this.diskOf(e, words), words.str('source'));
    const here = actors.lane(lanes.of(e));
    const resolve = (place: Place): number => (place === 'here' ? here : this.place(e, place, actors));
    const sender = resolve(rule.from);
    const actor = sender < 0 ? here : sender;
    const receiver = rule.to === undefined ? -1 : resolve(rule.to);
    const { comm, pid } = trace.taskOf(trace.task[e]);
    const task = `${comm}-${pid}`;
    const label = rule.label(words, this.t);
    const shared = actors.isShared(here) && (actor === here || receiver === here);
    const said = shared ? `${task}: ${label}` : label;
    const outcome = outcomeOf(trace, e);
    return {
      event: e,
      time: trace.ts[e] - trace.ts[0],
      actor,
      to: receiver === actor ? -1 : receiver,
      label: said,
      note: schemaText(trace.shapeOf(e).spec?.says, this.t),
      name,
      task,
      request: requests.requestOf(e),
      error: outcome < 0 && outcome !== EAGAIN && outcome !== EIOCBQUEUED,
    };
  }

  /** Column of a place for an event: its own context if it is such a one, else that of the request, else the first. */
  private place(e: number, place: Exclude<Place, 'here'>, actors: Actors): number {
    const { lanes, open } = this;
    const { requests } = open;
    const own = lanes.of(e);
    const ownColumn = columnOf(lanes.all[own].kind);
    if (ownColumn === place) return actors.lane(own);
    const row = requests.requestOf(e);
    if (place === 'io-wq' && ownColumn === 'disk') return this.issuer(e, row, actors);
    if (place === 'kworker') {
      const next = laneInRequest(requests, lanes, row, place, e);
      return next < 0 ? -1 : actors.lane(next);
    }
    const context = place === 'client' || place === 'daemon' || place === 'io-wq';
    if (!context) return actors.place(place);
    let lane = laneInRequest(requests, lanes, row, place, place === 'client' ? 0 : e);
    if (lane < 0) lane = laneInRequest(requests, lanes, row, place, 0);
    return lane < 0 ? actors.place(place) : actors.lane(lane);
  }

  /** Who gave the disk what it answers now: the last issue before it in the same request. */
  private issuer(e: number, row: number, actors: Actors): number {
    const { open, lanes } = this;
    if (row < 0) return -1;
    const list = open.requests.events(row);
    for (let k = indexAfter(list, e - 1) - 1; k >= 0; k--) {
      if (open.trace.nameOf(list[k]) !== 'block_rq_issue') continue;
      const lane = lanes.of(list[k]);
      if (columnOf(lanes.all[lane].kind) !== 'disk') return actors.lane(lane);
    }
    return -1;
  }

  private diskOf(e: number, words: EventWords): 'served' | 'backing' {
    const major = words.num('major');
    if (major !== undefined) return this.served.has(`${major},${words.num('minor')}`) ? 'served' : 'backing';
    // probes of blk-mq that name no disk: the interrupt of a disk ends its requests
    return this.hasDisks && columnOf(this.lanes.all[this.lanes.of(e)].kind) === 'disk' ? 'backing' : 'served';
  }

  private ofTrace(): Actors {
    if (this.whole !== undefined) return this.whole;
    const { trace } = this.open;
    const seen = new Uint8Array(trace.shapes.size);
    for (let i = 0; i < trace.length; i++) seen[trace.shape[i]] = 1;
    const places = new Set<Place>();
    for (let id = 0; id < seen.length; id++)
      if (seen[id] === 1) this.needs(trace.shapes.get(id).name, places);
    this.whole = new Actors(this.lanes, new Set(this.lanes.all.keys()), places, this.t);
    return this.whole;
  }

  private ofRequest(list: Uint32Array): Actors {
    const used = new Set<number>();
    const places = new Set<Place>();
    for (const e of list) {
      used.add(this.lanes.of(e));
      this.needs(this.open.trace.nameOf(e), places);
    }
    return new Actors(this.lanes, used, places, this.t);
  }

  /** Parts of the kernel between which an event of this name may be drawn; contexts have columns where they occur. */
  private needs(name: string, places: Set<Place>): void {
    const { from, to } = messageRule(name, this.served.size > 0 ? 'served' : 'backing');
    for (const place of [from, to]) {
      if (place === 'driver' || place === 'ring' || place === 'pipe' || place === 'fuse') places.add(place);
    }
    if (this.hasDisks && name.startsWith('block_')) places.add('disk');
  }
}
