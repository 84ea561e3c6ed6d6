/** Composition root: makes the parts and joins them; decides nothing. */
import { effect } from '@preact/signals-core';
import './styles/fonts.css';
import './styles/tokens.css';
import './styles/base.css';
import './styles/bars.css';
import './styles/lists.css';
import './styles/cards.css';
import './styles/inspector.css';
import './styles/map.css';
import { language, t } from './i18n/translate.ts';
import { fetchChart } from './map/chart.ts';
import { Picture } from './picture/picture.ts';
import type { App } from './ui/app.ts';
import './ui/app.ts';
import { Desk } from './ui/desk.ts';
import { LiveConnection } from './wire/connection.ts';

/** Ages are shown in whole seconds: twice a second keeps them within half a second of the truth. */
const CLOCK_MS = 500;
/** Wait before the chart is asked for again, ms. */
const CHART_RETRY_MS = 3000;

const picture = new Picture();
const desk = new Desk(picture);

effect(() => {
  document.documentElement.dataset['palette'] = desk.palette.value;
});
effect(() => {
  document.documentElement.lang = language.value;
  document.title = `PortTrack · ${t('app.title')}`;
});

function tick(): void {
  desk.nowMs.value = picture.clock.now(performance.now());
}

async function loadChart(): Promise<void> {
  try {
    desk.chart.value = await fetchChart();
    desk.isChartMissing.value = false;
  } catch (error) {
    if (!desk.isChartMissing.value) console.warn('chart not available', error);
    desk.isChartMissing.value = true;
    window.setTimeout(() => void loadChart(), CHART_RETRY_MS);
  }
}

const url = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws/live`;
const connection = new LiveConnection(url, picture, (report) => {
  desk.link.value = report;
  tick();
});

document.querySelector<App>('pt-app')!.desk = desk;
window.setInterval(tick, CLOCK_MS);
connection.start();
void loadChart();
