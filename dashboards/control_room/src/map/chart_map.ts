/**
 * OpenLayers for the chart, pan and zoom; our canvases on top. The chart is drawn only when the view, palette or
 * language changes; targets are drawn when one of them has moved enough to be seen.
 */
import OlMap from 'ol/Map.js';
import View from 'ol/View.js';
import GeoJSON from 'ol/format/GeoJSON.js';
import VectorLayer from 'ol/layer/Vector.js';
import VectorSource from 'ol/source/Vector.js';
import { defaults as defaultInteractions } from 'ol/interaction/defaults.js';
import { fromLonLat, toLonLat, transformExtent } from 'ol/proj.js';
import type { Picture } from '../picture/picture.ts';
import type { Chart } from './chart.ts';
import { chartStyle } from './chart_style.ts';
import { MAX_RATIO, type Fixtures, Overlay } from './overlay.ts';
import { readPalette } from './palette.ts';
import { quayLines } from './quay_geometry.ts';
import { nextFrameMs } from './redraw_policy.ts';
import type { Viewport } from './target_painter.ts';

/** A finger or a trembling mouse still hits a target this far away, CSS px. */
const PICK_REACH_PX = 22;

export interface MapEvents {
  picked(mmsi: number | null): void;
  pointed(lonLat: readonly [number, number] | null): void;
  /** Metres on the ground a CSS pixel, after the view changed. */
  scaled(metresPerPx: number): void;
}

/** What the map asks for at every frame: what does not belong to it. */
export interface MapContext {
  /** Server UTC ms of the picture; stands still when the link is lost. */
  pictureTimeMs(): number | null;
  selectedMmsi(): number | null;
  fixtures(): Fixtures;
}

export class ChartMap {
  private readonly overlay: Overlay;
  private readonly map: OlMap;
  private readonly layer: VectorLayer;
  private readonly reducedMotion = window.matchMedia('(prefers-reduced-motion: reduce)');
  private hovered: number | null = null;
  private fitted: { center: number[]; resolution: number } | null = null;
  private timer = 0;
  private frame = 0;

  constructor(
    target: HTMLElement,
    private readonly chart: Chart,
    private readonly picture: Picture,
    private readonly context: MapContext,
    private readonly events: MapEvents,
    language: 'es' | 'en',
  ) {
    const palette = readPalette();
    const features = new GeoJSON({ featureProjection: 'EPSG:3857' }).readFeatures(chart.document);
    this.layer = new VectorLayer({
      source: new VectorSource({ features }),
      style: chartStyle(palette, language, quayLines(chart)),
      background: palette.deep,
      declutter: true,
      renderBuffer: 200,
    });
    this.map = new OlMap({
      target,
      layers: [this.layer],
      controls: [],
      interactions: defaultInteractions({ altShiftDragRotate: false, pinchRotate: false }),
      view: new View({ center: fromLonLat([0, 0]), zoom: 3, enableRotation: false, maxZoom: 19, minZoom: 4 }),
    });
    this.overlay = new Overlay(picture, palette);
    target.append(this.overlay.symbols, this.overlay.annotations);
    this.listen(target);
    this.showWholePort();
  }

  restyle(language: 'es' | 'en'): void {
    const palette = readPalette();
    this.layer.setStyle(chartStyle(palette, language, quayLines(this.chart)));
    this.layer.setBackground(palette.deep);
    this.overlay.setPalette(palette);
    this.redraw();
  }

  /** Data, selection or fixtures changed: draw at the next frame of the screen. */
  redraw(): void {
    if (this.frame !== 0) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  showWholePort(): void {
    const harbour = this.harbourExtent();
    this.map.updateSize();
    const size = this.map.getSize();
    if (harbour === null || size === undefined) return;
    this.map.getView().fit(harbour, { size, padding: [40, 60, 70, 60], maxZoom: 16 });
    this.fitted = this.map.getView().getState();
  }

  centreOn(lonDeg: number, latDeg: number): void {
    const duration = this.reducedMotion.matches ? 0 : 250;
    this.map.getView().animate({ center: fromLonLat([lonDeg, latDeg]), duration });
  }

  zoomBy(steps: number): void {
    const view = this.map.getView();
    const zoom = view.getZoom();
    if (zoom !== undefined) view.animate({ zoom: zoom + steps, duration: this.reducedMotion.matches ? 0 : 180 });
  }

  /** Quays, fairway, anchorage: where the work is; the chart's own bounds reach far out to sea. */
  private harbourExtent(): number[] | null {
    const extent = [Infinity, Infinity, -Infinity, -Infinity];
    for (const feature of this.layer.getSource()?.getFeatures() ?? []) {
      if (
        !['quay', 'breakwater', 'anchorage', 'fairway', 'restricted', 'pilot_boarding'].includes(
          String(feature.get('kind')),
        )
      )
        continue;
      const [west, south, east, north] = feature.getGeometry()!.getExtent() as [number, number, number, number];
      extent[0] = Math.min(extent[0]!, west);
      extent[1] = Math.min(extent[1]!, south);
      extent[2] = Math.max(extent[2]!, east);
      extent[3] = Math.max(extent[3]!, north);
    }
    if (Number.isFinite(extent[0])) return extent;
    return this.chart.bounds === null ? null : transformExtent([...this.chart.bounds], 'EPSG:4326', 'EPSG:3857');
  }

  private listen(target: HTMLElement): void {
    this.map.on('postrender', () => this.draw());
    this.map.on('singleclick', (event) => this.events.picked(this.targetAt(event.pixel)));
    this.map.on('pointermove', (event) => {
      const [lon, lat] = toLonLat(event.coordinate) as [number, number];
      this.events.pointed([lon, lat]);
      this.hover(event.dragging ? null : this.targetAt(event.pixel), target);
    });
    target.addEventListener('pointerleave', () => {
      this.events.pointed(null);
      this.hover(null, target);
    });
    new ResizeObserver(() => this.resized()).observe(target);
  }

  /** A view that the operator has not touched keeps showing the whole port. */
  private resized(): void {
    const { center, resolution } = this.map.getView().getState();
    const isUntouched = resolution === this.fitted?.resolution && center.join() === this.fitted.center.join();
    if (isUntouched) this.showWholePort();
    else this.map.updateSize();
  }

  private hover(mmsi: number | null, target: HTMLElement): void {
    if (mmsi === this.hovered) return;
    this.hovered = mmsi;
    target.classList.toggle('is-pointing', mmsi !== null);
    this.redraw();
  }

  private targetAt(pixel: readonly number[]): number | null {
    const index = this.overlay.drawn.nearest(pixel[0]!, pixel[1]!, PICK_REACH_PX);
    return index === -1 ? null : this.picture.targets.mmsi[this.overlay.drawn.slot[index]!]!;
  }

  private draw(): void {
    const view = this.viewport();
    if (view === null) return;
    const now = this.context.pictureTimeMs();
    const fastest = this.overlay.draw(view, now, this.context.fixtures(), this.context.selectedMmsi(), this.hovered);
    const [, lat] = toLonLat([view.centreX, view.centreY]);
    this.events.scaled(view.resolution * Math.cos((lat! * Math.PI) / 180));
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(
      () => this.redraw(),
      nextFrameMs(fastest, view.resolution, this.reducedMotion.matches),
    );
  }

  private viewport(): Viewport | null {
    const size = this.map.getSize();
    const centre = this.map.getView().getCenter();
    const resolution = this.map.getView().getResolution();
    if (size === undefined || centre === undefined || resolution === undefined || size[0] === 0) return null;
    return {
      centreX: centre[0]!,
      centreY: centre[1]!,
      resolution,
      widthPx: size[0]!,
      heightPx: size[1]!,
      ratio: Math.min(MAX_RATIO, window.devicePixelRatio),
    };
  }
}
