// report.js: draws the page of jitmend report from the JSON in it, which is that
// of --format=json (jitmend-report(1)). Names in it are anybody's: they become
// text, never markup.
"use strict";

(() => {
	const data = JSON.parse(document.getElementById("data").textContent);
	const main = document.getElementById("report");
	const DANGERS = ["execheap", "execmod", "devzero", "execstack", "execmem"];
	const DANGER_WORDS = {
		devzero: "code in a private mapping of /dev/zero",
		execheap: "code on the heap",
		execmod: "code in changed pages of a file",
		execmem: "memory that is written and executed",
		execstack: "code on a stack",
	};
	const ANSWERS = {
		refused: "refused", expected: "known to be refused, the kernel was not asked",
		allowed: "allowed here", unknown: "not asked: it was mended beforehand",
	};
	const DONE = {
		"passed-on": "passed on as asked", "not-mended": "not mended: the program was refused",
		"mapped-anonymous": "mended: anonymous memory instead of /dev/zero",
		moved: "mended: pages moved away, made executable, moved back",
		copied: "mended: an executable copy in the place of the pages",
		shared: "mended: pages in a file, mapped with all that was asked",
		viewed: "mended: pages in a file, writable or executable in turn",
		emulated: "mended: trampolines of nested functions are carried out",
	};
	const MECHANISMS = {
		selinux: "SELinux, by the errno", mdwe: "PR_SET_MDWE (MemoryDenyWriteExecute=)",
		seccomp: "a seccomp filter, by the errno",
		"noexec-dev": "/dev mounted noexec (PrivateDevices=)",
		settings: "jitmend’s own settings (--policy)",
	};
	const shown = { dangers: new Set(DANGERS), process: null, words: "" };

	// ------------------------------------------------------------ making things

	const fill = (node, attributes, children) => {
		for (const [name, value] of Object.entries(attributes || {}))
			if (typeof value === "function")
				node.addEventListener(name, value);
			else if (value !== null && value !== undefined && value !== false)
				node.setAttribute(name, value);
		node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
		return node;
	};
	const make = (tag, attributes, ...children) =>
		fill(document.createElement(tag), attributes, children);
	const draw = (tag, attributes, ...children) =>
		fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

	const number = (value) => value.toLocaleString("en-US");
	const counted = (value, one, many) => `${number(value)} ${value === 1 ? one : many}`;

	const size = (bytes) => {
		const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
		let unit = 0;

		for (; bytes >= 1024 && unit < 4; unit++)
			bytes /= 1024;
		return `${bytes < 100 && bytes % 1 ? bytes.toFixed(1) : Math.round(bytes)} ${units[unit]}`;
	};

	const span = (seconds) => {
		if (seconds < 1e-3)
			return `${Math.round(seconds * 1e6)} µs`;
		if (seconds < 1)
			return `${+(seconds * 1e3).toPrecision(3)} ms`;
		if (seconds < 120)
			return `${+seconds.toPrecision(3)} s`;
		const [unit, word] = seconds < 7200 ? [60, "min"] : seconds < 172800 ? [3600, "h"] :
			[86400, "days"];

		return `${+(seconds / unit).toPrecision(3)} ${word}`;
	};

	const clock = (time) => new Date(time * 1000).toISOString().slice(11, 23);
	const day = (time) => new Date(time * 1000).toISOString().slice(0, 16).replace("T", " ");

	// -------------------------------------------------------------------- names

	const base = (path) => path.slice(path.lastIndexOf("/") + 1) || path;

	// Without the types of arguments, which in C++ are longer than all else.
	const short = (name) => {
		let depth = 0;

		for (let i = 0; i < name.length; i++) {
			const at = name[i];

			if (at === "<" && !name.slice(0, i).endsWith("operator"))
				depth++;
			else if (at === ">" && depth && name[i - 1] !== "-")
				depth--;
			else if (at === "(" && !depth && i && !name.startsWith("(anonymous", i) &&
				!name.slice(0, i).endsWith("operator"))
				return name.slice(0, i);
		}
		return name;
	};

	const functionOf = (frame) => {
		if (!frame)
			return "an unknown place";
		if (frame.more)
			return `and ${frame.more} more`;
		if (frame.function)
			return short(frame.function);
		return frame.unknown ? `generated code at ${frame.unknown}` :
			`${base(frame.module)}+${frame.offset}`;
	};

	const placeOf = (frame) => {
		if (!frame || frame.more)
			return "";
		if (frame.file)
			return frame.line ? `${frame.file}:${frame.line}` : frame.file;
		return frame.unknown || (frame.function ? `${frame.module}+${frame.offset}` : frame.module);
	};

	const processName = (index) => {
		const process = data.processes[index];

		return process ? `${process.comm || "?"} ${process.pid}` : "several processes";
	};

	const siteName = (index) => {
		const site = data.sites[index];

		return site ? functionOf((site.ways[0] || { stack: [] }).stack[0]) : "several call sites";
	};

	// ------------------------------------------------------------------- shapes

	// A danger has a form as well as a color.
	const shape = (danger, x, y, r, attributes) => {
		const all = { ...attributes, class: `${danger} ${(attributes || {}).class || ""}` };
		const points = (list) =>
			draw("polygon", { ...all, points: list.map(([a, b]) => `${x + a * r},${y + b * r}`).join(" ") });

		switch (danger) {
		case "execheap": return draw("circle", { ...all, cx: x, cy: y, r });
		case "execmod":
			return draw("rect", { ...all, x: x - r * .88, y: y - r * .88, width: r * 1.76,
				height: r * 1.76, rx: 1 });
		case "devzero": return points([[0, -1.2], [1.2, 0], [0, 1.2], [-1.2, 0]]);
		case "execmem": return points([[0, -1.15], [1.15, .9], [-1.15, .9]]);
		default: return points([[-.6, -1.05], [.6, -1.05], [1.2, 0], [.6, 1.05], [-.6, 1.05], [-1.2, 0]]);
		}
	};

	const sign = (danger) =>
		draw("svg", { width: 14, height: 14, viewBox: "0 0 14 14", "aria-hidden": "true" },
			shape(danger, 7, 7, 5));

	// ---------------------------------------------------------------------- tip

	const tip = make("div", { class: "tip", hidden: "" });
	const voice = make("p", { class: "unseen", "aria-live": "polite" });

	const showTip = (lines, box) => {
		tip.replaceChildren(...lines.map((line, i) => make(i ? "div" : "b", {}, line)));
		tip.hidden = false;
		const own = tip.getBoundingClientRect();
		const left = Math.min(Math.max(8, box.left + box.width / 2 - own.width / 2),
			innerWidth - own.width - 8);
		const above = box.top - own.height - 10;

		tip.style.left = `${left}px`;
		tip.style.top = `${above > 8 ? above : box.bottom + 10}px`;
	};

	const hideTip = () => {
		tip.hidden = true;
	};

	// Things of a picture that tell something: by pointer, and by arrow keys.
	const explorable = (svg, things) => {
		let at = -1;
		const choose = (next) => {
			if (at >= 0)
				things[at].node.classList.remove("on");
			at = next;
			if (at < 0) {
				hideTip();
				return;
			}
			things[at].node.classList.add("on");
			showTip(things[at].lines(), things[at].node.getBoundingClientRect());
		};

		svg.addEventListener("pointermove", (event) => {
			const next = things.findIndex((thing) => thing.node === event.target);

			if (next !== at)
				choose(next);
		});
		svg.addEventListener("pointerleave", () => choose(-1));
		svg.addEventListener("blur", () => choose(-1));
		svg.addEventListener("click", (event) => {
			const thing = things.find((one) => one.node === event.target);

			if (thing)
				openSite(thing.site);
		});
		svg.addEventListener("keydown", (event) => {
			const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];

			if (step && things.length) {
				event.preventDefault();
				choose(at < 0 ? (step > 0 ? 0 : things.length - 1) :
					(at + step + things.length) % things.length);
				voice.textContent = things[at].lines().join(". ");
			} else if (event.key === "Enter" && at >= 0) {
				openSite(things[at].site);
			} else if (event.key === "Escape") {
				choose(-1);
			}
		});
		return svg;
	};

	const openSite = (index) => {
		const details = document.getElementById(`site-${index}`);

		if (!details)
			return;
		hideTip();
		details.open = true;
		details.scrollIntoView({ block: "center" });
		details.querySelector("summary").focus({ preventScroll: true });
	};

	// ----------------------------------------------------------------- timeline

	const ROWS = 14;

	// Times with long silence between them: only the busy stretches are drawn long.
	const timeScale = (spans, left, right) => {
		const sorted = spans.filter((one) => one).sort((a, b) => a[0] - b[0]);
		const busy = [];
		let total = 0;

		for (const [from, to] of sorted) {
			const last = busy[busy.length - 1];

			if (last && from <= last.to)
				last.to = Math.max(last.to, to);
			else
				busy.push({ from, to });
		}
		for (const one of busy)
			total += one.to - one.from;
		const least = Math.max(total * .4, 1e-4);
		const parts = [];

		for (const one of busy) {
			const last = parts[parts.length - 1];

			if (last && (one.from - last.to <= least || parts.length >= 12))
				last.to = one.to;
			else
				parts.push({ ...one });
		}
		const gap = parts.length > 1 ? Math.min(44, (right - left) / (parts.length * 3)) : 0;
		const room = right - left - gap * (parts.length - 1);
		const weight = parts.map((one) => Math.max(one.to - one.from, total * .04, 1e-6));
		const sum = weight.reduce((a, b) => a + b, 0);
		let x = left;

		parts.forEach((one, i) => {
			one.x = x;
			one.width = room * weight[i] / sum;
			x += one.width + gap;
		});
		const place = (time) => {
			const part = parts.find((one) => time <= one.to) || parts[parts.length - 1];
			const length = part.to - part.from;

			if (!length)
				return part.x + part.width / 2;
			return part.x + Math.min(Math.max((time - part.from) / length, 0), 1) * part.width;
		};

		return { parts, gap, place };
	};

	const ticks = (part, start) => {
		const length = part.to - part.from;
		const most = Math.max(1, Math.floor(part.width / 90));
		let step = 10 ** Math.floor(Math.log10(length / most || 1));

		for (const factor of [1, 2, 5, 10])
			if (length / (step * factor) <= most) {
				step *= factor;
				break;
			}
		const list = [];

		for (let i = Math.ceil((part.from - start) / step - 1e-9); start + i * step <= part.to + step * 1e-9; i++)
			list.push(start + i * step);
		return list.slice(0, 20);
	};

	const timelineRows = (marks) => {
		const counts = new Map();

		for (const mark of marks)
			counts.set(mark[1], (counts.get(mark[1]) || 0) + mark[4]);
		const order = [...counts.keys()].filter((key) => key !== null)
			.sort((a, b) => counts.get(b) - counts.get(a) || a - b);
		const rows = order.slice(0, ROWS).sort((a, b) =>
			data.processes[a].first - data.processes[b].first || a - b);
		const others = order.length - rows.length + (counts.has(null) ? 1 : 0);

		return { rows, others };
	};

	// What would lie on each other is one mark, with the sum.
	const gathered = (marks, rows, place) => {
		const all = new Map();

		for (const [time, process, site, danger, count] of marks) {
			const row = rows.indexOf(process);
			const x = place(time);
			const key = `${row} ${Math.round(x / 9)} ${danger}`;
			const known = all.get(key);

			if (!known) {
				all.set(key, { row, x, danger, count, time, until: time, process, site,
					most: count, sites: new Set([site]) });
				continue;
			}
			known.count += count;
			known.time = Math.min(known.time, time);
			known.until = Math.max(known.until, time);
			known.sites.add(site);
			if (count > known.most) {
				known.most = count;
				known.site = site;
			}
		}
		return [...all.values()];
	};

	// How a site fared: hollow where nothing was refused.
	const wasAllowed = (index) => {
		const site = data.sites[index];

		return site && site.ways.length && site.ways.every((way) => way.answer === "allowed");
	};

	const drawTimeline = (figure) => {
		const marks = data.timeline.marks.filter((mark) => isShown(mark[3], mark[1]));
		const wide = figure.clientWidth - 36;
		const narrow = wide < 560;
		const left = narrow ? 8 : 168, right = wide - 14;
		const { rows, others } = timelineRows(marks);
		const start = data.summary.first;

		if (!marks.length)
			return [make("p", { class: "empty" }, "No request is shown by these filters.")];
		const spans = rows.map((row) => [data.processes[row].first, data.processes[row].last]);
		const rest = marks.filter((mark) => !rows.includes(mark[1])).map((mark) => mark[0]);

		if (rest.length)
			spans.push(rest.reduce(([from, to], time) => [Math.min(from, time), Math.max(to, time)],
				[rest[0], rest[0]]));
		const scale = timeScale(spans, left, right);
		const things = gathered(marks, rows, scale.place).sort((a, b) => a.x - b.x || a.row - b.row);
		const lanes = (row) => DANGERS.filter((danger) =>
			things.some((one) => one.row === row && one.danger === danger));
		const all = [...rows.keys(), ...others ? [-1] : []].map((row) => ({ row, lanes: lanes(row) }));
		const top = narrow ? 18 : 0;
		let bottom = 34;

		for (const one of all) {
			const height = Math.max(34, one.lanes.length * 11 + 14) + top;

			one.name = bottom + 12;
			one.y = bottom + top + (height - top) / 2;
			bottom += height;
		}
		const svg = draw("svg", { height: bottom + 4, viewBox: `0 0 ${wide} ${bottom + 4}`,
			tabindex: 0, role: "img",
			"aria-label": `Timeline: ${counted(marks.reduce((sum, mark) => sum + mark[4], 0), "request", "requests")}. Arrow keys go from one to the next.` });

		scale.parts.forEach((part, i) => {
			const all = ticks(part, start);

			for (const time of all) {
				const x = scale.place(time);

				svg.append(draw("line", { class: "axis", x1: x, x2: x, y1: 24, y2: bottom }),
					draw("text", { x, y: 14, "text-anchor": "middle" },
						time === start ? "0" : `+${span(time - start)}`));
			}
			if (!all.length)
				svg.append(draw("text", { x: part.x + part.width / 2, y: 14,
					"text-anchor": "middle" }, `+${span(part.from - start)}`));
			if (i) {
				const before = scale.parts[i - 1];
				const x = before.x + before.width + scale.gap / 2;
				const width = Math.max(scale.gap - 20, 4);
				const words = `${span(part.from - before.to)} of silence`;

				svg.append(draw("rect", { class: "gap", x: x - width / 2, y: 24, width,
					height: bottom - 24, rx: 6 }, draw("title", {}, words)));
				if (bottom > 150 && width > 14)
					svg.append(draw("text", { "text-anchor": "middle", "aria-hidden": "true",
						transform: `translate(${x + 4} ${(24 + bottom) / 2}) rotate(-90)` }, words));
			}
		});
		for (const { row, y, name: above } of all) {
			const process = data.processes[rows[row]];
			const name = process ? processName(rows[row]) :
				counted(others, "other process", "other processes");

			svg.append(draw("text", { class: "name", x: narrow ? left : 0,
				y: narrow ? above : y + 4 }, name.length > 22 ? `${name.slice(0, 21)}…` : name));
			if (process)
				svg.append(draw("line", { class: "life", x1: scale.place(process.first),
					x2: scale.place(process.last) + .1, y1: y, y2: y }));
		}
		const most = Math.max(2, ...things.map((one) => one.count));

		for (const one of things) {
			const row = all.find((other) => other.row === one.row);
			const y = row.y + (row.lanes.indexOf(one.danger) - (row.lanes.length - 1) / 2) * 11;

			const share = Math.log1p(one.count) / Math.log1p(most);

			one.node = shape(one.danger, one.x, y, most === 2 ? 5 :
				2.5 + (row.lanes.length > 1 ? 3.5 : 5.5) * share,
				{ class: wasAllowed(one.site) ? "mark hollow" : "mark" });
			one.lines = () => [
				`${one.danger}: ${counted(one.count, "request", "requests")}`,
				one.sites.size > 1 ? `${siteName(one.site)} and ${one.sites.size - 1} more` :
					siteName(one.site),
				one.process === null ? "several processes" : processName(one.process),
				one.time === one.until ? `${clock(one.time)} UTC, +${span(one.time - start)}` :
					`${clock(one.time)} to ${clock(one.until)} UTC`,
			];
			svg.append(one.node);
		}
		return [explorable(svg, things)];
	};

	// ---------------------------------------------------------- the address space

	const AREAS = 14;
	const hex = (value) => `0x${value.toString(16)}`;
	const parseRanges = () => data.memory.ranges.map(([start, end, process, site, danger, count]) =>
		({ start: BigInt(start), end: BigInt(end), process, site, danger, count }));
	const ranges = parseRanges();

	// Ranges of a process that lie near each other.
	const areasOf = (list, gap) => {
		const areas = [];

		for (const range of list) {
			const last = areas[areas.length - 1];

			if (last && last.process === range.process && range.start - last.end <= gap) {
				last.ranges.push(range);
				if (range.end > last.end)
					last.end = range.end;
			} else {
				areas.push({ process: range.process, start: range.start, end: range.end,
					ranges: [range] });
			}
		}
		for (const area of areas)
			area.count = area.ranges.reduce((sum, range) => sum + range.count, 0);
		return areas;
	};

	const near = (list) => {
		let gap = 1n << 18n;
		let areas = areasOf(list, gap);
		const processes = new Set(list.map((range) => range.process)).size;

		while (areas.length > Math.max(AREAS, processes * 2) && gap < 1n << 47n) {
			gap *= 4n;
			areas = areasOf(list, gap);
		}
		return areas;
	};

	const areaName = (area) => {
		const counts = new Map();

		for (const range of area.ranges)
			counts.set(range.danger, (counts.get(range.danger) || 0) + range.count);
		if (counts.size > 1)
			counts.delete("execmem");
		return { execheap: "heap", execstack: "stack", execmod: "a file’s pages",
			devzero: "/dev/zero", execmem: "mapped memory" }[mostOf(counts)];
	};

	// Squares of a power of two of pages, so many that they can be told apart.
	const squaresOf = (area, most) => {
		let unit = BigInt(data.memory.width || 4096);

		while ((area.end - area.start) / unit > BigInt(most))
			unit *= 2n;
		const from = area.start / unit;
		const count = Number((area.end - 1n) / unit - from) + 1;
		const squares = Array.from({ length: count }, () => null);

		for (const range of area.ranges) {
			const last = Number((range.end - 1n) / unit - from);

			for (let i = Number(range.start / unit - from); i <= last; i++) {
				squares[i] ||= { count: 0, dangers: new Map(), site: range.site, most: 0 };
				squares[i].count += range.count;
				squares[i].dangers.set(range.danger,
					(squares[i].dangers.get(range.danger) || 0) + range.count);
				if (range.count > squares[i].most) {
					squares[i].most = range.count;
					squares[i].site = range.site;
				}
			}
		}
		return { squares, unit, from };
	};

	// Of as many, the one that says more: execmem is asked for after the others.
	const mostOf = (dangers) => [...dangers].sort((a, b) =>
		b[1] - a[1] || DANGERS.indexOf(a[0]) - DANGERS.indexOf(b[0]))[0][0];

	// Squares side by side that are alike are one thing to point at.
	const drawArea = (area, wide) => {
		const pitch = 13, across = Math.max(8, Math.floor(wide / pitch));
		const { squares, unit, from } = squaresOf(area, Math.min(512, across * 8));
		const rows = Math.ceil(squares.length / across);
		const most = Math.max(...squares.map((square) => square ? square.count : 0));
		const things = [];
		const width = Math.min(across, squares.length) * pitch;
		const svg = draw("svg", { height: rows * pitch, viewBox: `0 0 ${width} ${rows * pitch}`,
			tabindex: 0, role: "img",
			"aria-label": `${processName(area.process)}, ${areaName(area)}, from ${hex(area.start)}, ${size(Number(area.end - area.start))}. Arrow keys go from one square to the next.` });

		squares.forEach((square, i) => {
			const place = { x: i % across * pitch, y: Math.floor(i / across) * pitch,
				width: pitch - 2, height: pitch - 2, rx: 2.5 };
			const start = (from + BigInt(i)) * unit;

			if (!square) {
				svg.append(draw("rect", { ...place, class: "free" }));
				return;
			}
			const danger = mostOf(square.dangers);
			const node = draw("rect", { ...place, class: `cell ${danger}`,
				"fill-opacity": .45 + .55 * Math.log1p(square.count) / Math.log1p(most) });

			svg.append(node);
			things.push({ node, site: square.site, lines: () => [
				`${hex(start)}, ${size(Number(unit))}`,
				[...square.dangers].map(([name, count]) => `${name} ${number(count)}`).join(", "),
				siteName(square.site),
			] });
		});
		svg.style.width = `${width}px`;
		return make("div", { class: "area" },
			make("p", {}, make("b", {}, processName(area.process)), ` ${areaName(area)}`,
				make("code", {}, `${hex(area.start)} – ${hex(area.end)}`),
				unit === area.end - area.start ? size(Number(unit)) :
					`${size(Number(area.end - area.start))}, a square is ${size(Number(unit))}`),
			explorable(svg, things));
	};

	// The whole of it, to scale: where the areas lie.
	const drawWhole = (areas, wide) => {
		const whole = 1n << (areas.some((area) => area.end > 1n << 47n) ? 64n : 47n);
		const place = (address) => Number(address * 100000n / whole) / 100000 * wide;
		const svg = draw("svg", { height: 34, viewBox: `0 0 ${wide} 34`, role: "img",
			"aria-label": "Where the areas lie in the address space" },
		draw("rect", { class: "free", x: 0, y: 0, width: wide, height: 14, rx: 4 }),
		draw("text", { class: "mono", x: 0, y: 30 }, "0"),
		draw("text", { class: "mono", x: wide, y: 30, "text-anchor": "end" },
			size(Number(whole)).replace("16777216 TiB", "16 EiB")));

		for (const area of areas) {
			const dangers = new Map(area.ranges.map((range) => [range.danger, range.count]));

			svg.append(draw("rect", { class: mostOf(dangers), x: Math.min(place(area.start), wide - 3),
				y: 0, width: Math.max(3, place(area.end) - place(area.start)), height: 14, rx: 1.5 },
			draw("title", {}, `${areaName(area)} at ${hex(area.start)}`)));
		}
		return make("div", { class: "whole" }, svg);
	};

	const drawMemory = (figure) => {
		const list = ranges.filter((range) => isShown(range.danger, range.process))
			.sort((a, b) => (a.process ?? -1) - (b.process ?? -1) ||
				(a.start < b.start ? -1 : a.start > b.start ? 1 : 0));
		const wide = figure.clientWidth - 36;

		if (!list.length)
			return [make("p", { class: "empty" }, "No memory is shown by these filters.")];
		const all = near(list);
		const some = [...all].sort((a, b) => b.count - a.count).slice(0, AREAS);

		return [drawWhole(all, wide),
			make("div", { class: "areas" }, all.filter((area) => some.includes(area))
				.map((area) => drawArea(area, wide))),
			all.length > some.length ? make("p", { class: "more" },
				`${counted(all.length - some.length, "more area", "more areas")}, of fewer requests: choose a process.`) : null,
		].filter((node) => node);
	};

	// -------------------------------------------------------------------- sites

	const drawStack = (stack, title) => make("div", {},
		make("h4", {}, title),
		make("ol", { class: "stack" }, stack.map((frame) => [frame, ...frame.inlined_into || []]
			.map((spot) => make("li", { title: spot.function || null }, functionOf({ ...frame, ...spot }),
				frame.more ? null : make("span", {}, placeOf(spot.file || spot === frame ? { ...frame, ...spot } : frame)))))));

	const drawWay = (site, way) => {
		const call = way.protection ? `${site.call} of ${size(way.length)}, ${way.protection}` : site.call;
		const answer = [ANSWERS[way.answer] + (way.errno ? ` with ${way.errno}` : ""),
			MECHANISMS[way.mechanism]].filter((words) => words).join(": ");

		return [
			make("dl", {},
				make("dt", {}, "Call"), make("dd", {}, make("code", {}, call)),
				make("dt", {}, "Policy"), make("dd", {}, answer),
				make("dt", {}, "jitmend"), make("dd", {}, DONE[way.done])),
			make("div", { class: "stacks" }, drawStack(way.stack, "The call"),
				way.origin ? drawStack(way.origin.stack,
					`The memory: ${way.origin.call} of ${size(way.origin.length)}`) : null),
		];
	};

	const noteOf = (frame) => {
		const module = frame && data.modules.find((one) => one.path === frame.module && one.note);

		return module ? make("p", { class: "note" }, `${module.path}: ${module.note}`) : null;
	};

	const verdictOf = (site) => {
		const done = new Set(site.ways.map((way) => way.done));

		if (done.has("not-mended"))
			return ["bad", "refused, not mended"];
		if ([...done].every((word) => word === "passed-on"))
			return ["", done.size ? "allowed here" : ""];
		return ["good", "mended"];
	};

	const countOf = (site) => {
		if (shown.process === null)
			return site.count;
		const share = site.processes.find((one) => one.process === shown.process);

		return share ? share.count : 0;
	};

	const filled = (details, site) => {
		const frame = site.ways.length ? site.ways[0].stack[0] : null;

		details.append(make("div", { class: "inside" },
			site.ways.slice(0, 1).map((way) => drawWay(site, way)),
			noteOf(frame),
			site.ways.length > 1 ? make("details", { class: "ways" },
				make("summary", {}, counted(site.ways.length - 1, "other way to come here", "other ways to come here")),
				site.ways.slice(1, 8).map((way) => make("div", { class: "way" },
					make("p", {}, counted(way.count, "request", "requests")), drawWay(site, way)))) : null,
			make("a", { class: "button", href: `#advice-${site.advice}` },
				`What to change: ${data.advice[site.advice].title.toLowerCase()}`)));
	};

	const drawSite = (site, index, most) => {
		const frame = site.ways.length ? site.ways[0].stack[0] : null;
		const [kind, verdict] = verdictOf(site);
		const count = countOf(site);
		const details = make("details", { id: `site-${index}` },
			make("summary", {},
				make("span", { class: "rank" }, String(index + 1)),
				make("span", { class: "what" }, functionOf(frame)),
				make("span", { class: "many" }, make("b", {}, number(count)),
					count === 1 ? " request" : " requests"),
				make("span", { class: "where" },
					make("span", { class: "tag" }, sign(site.danger), site.danger),
					make("span", { class: "mono" }, placeOf(frame))),
				make("span", { class: `verdict ${kind}` }, verdict),
				make("span", { class: "bar" }, make("i", { class: site.danger }))));

		details.querySelector("i").style.width = `${100 * count / most}%`;
		// What nobody opens is not made.
		details.addEventListener("toggle", () => {
			if (details.open && !details.querySelector(".inside"))
				filled(details, site);
		});
		return make("li", {}, details);
	};

	const hasWords = (site) => {
		const words = shown.words.toLowerCase();

		return !words || site.ways.some((way) => way.stack.some((frame) =>
			`${frame.function || ""} ${placeOf(frame)} ${frame.module || ""}`.toLowerCase().includes(words)));
	};

	const drawSites = () => {
		const list = data.sites.map((site, index) => ({ site, index }))
			.filter(({ site }) => shown.dangers.has(site.danger) && countOf(site) && hasWords(site))
			.sort((a, b) => countOf(b.site) - countOf(a.site) || a.index - b.index);

		if (!list.length)
			return [make("li", { class: "empty" }, "No call site is shown by these filters.")];
		return list.map(({ site, index }) => drawSite(site, index, countOf(list[0].site)));
	};

	// ------------------------------------------------------------------- advice

	const drawCode = (text) => {
		const button = make("button", { type: "button", click: () => {
			navigator.clipboard.writeText(text.replace(/^\+|^-.*\n/gm, ""))
				.then(() => { button.textContent = "Copied"; })
				.catch(() => { button.textContent = "Cannot copy"; });
		} }, "Copy");

		return make("div", { class: "copy" }, make("pre", { class: "code", tabindex: 0 },
			text.replace(/\n$/, "").split("\n").map((line) => make("span", {
				class: line[0] === "+" ? "plus" : line[0] === "-" ? "minus" :
					/^\s*(;|#|\/\*)/.test(line) ? "comment" : null,
			}, `${line}\n`))), button);
	};

	const mechanismsAt = (id) => new Set(data.sites.filter((site) => site.advice === id)
		.flatMap((site) => site.ways.map((way) => way.mechanism)));

	const drawAdvice = (id) => {
		const advice = data.advice[id];
		const danger = (data.sites.find((site) => site.advice === id) || {}).danger;
		const met = mechanismsAt(id);
		const fitting = advice.administrator.filter((one) => met.has(one.mechanism));
		const remedies = fitting.length ? fitting : advice.administrator;

		return make("article", { class: `sheet advice at-${danger}`, id: `advice-${id}` },
			make("h3", {}, advice.title),
			make("p", {}, advice.danger),
			make("h4", {}, "For the program’s author"),
			make("p", {}, advice.author),
			drawCode(advice.sketch),
			make("h4", {}, "For the administrator"),
			remedies.map((one) => [
				make("p", {}, one.text),
				drawCode(one.snippet),
				make("p", { class: "instead" }, "instead of ", make("s", {}, one.instead_of)),
			]));
	};

	// --------------------------------------------------------------- processes

	const drawProcesses = () => make("table", {},
		make("thead", {}, make("tr", {},
			...["Process", "Program", "Policy", "Kernel"].map((word) => make("th", { scope: "col" }, word)),
			make("th", { class: "right", scope: "col" }, "Requests"))),
		make("tbody", {}, data.processes.map((process, index) => ({ process, index }))
			.sort((a, b) => b.process.requests - a.process.requests || a.index - b.index).slice(0, 200)
			.map(({ process, index }) => make("tr", {},
				make("td", {}, processName(index)),
				make("td", {}, make("code", {}, process.program || "unknown")),
				make("td", {}, process.mode ? `${process.mode}, ${process.policy}${process.mdwe ? ", MDWE" : ""}` : "its first line is missing"),
				make("td", {}, process.kernel ? `${process.kernel}, ${process.machine}` : ""),
				make("td", { class: "right" }, number(process.requests),
					process.lines_lost ? `, ${counted(process.lines_lost, "line", "lines")} lost` : "")))));

	// ------------------------------------------------------------------ filters

	const isShown = (danger, process) => shown.dangers.has(danger) &&
		(shown.process === null || process === shown.process);

	const drawChips = () => {
		const counts = {};

		for (const site of data.sites)
			counts[site.danger] = (counts[site.danger] || 0) + site.count;
		return DANGERS.filter((danger) => counts[danger]).map((danger) => {
			const chip = make("button", { class: "chip", type: "button", "aria-pressed": "true",
				title: DANGER_WORDS[danger], click: () => {
					if (!shown.dangers.delete(danger))
						shown.dangers.add(danger);
					chip.setAttribute("aria-pressed", shown.dangers.has(danger));
					redraw();
				} }, sign(danger), danger, make("span", { class: "number" }, number(counts[danger])));

			return chip;
		});
	};

	const drawSelect = () => make("select", { "aria-label": "Process", change: (event) => {
		shown.process = event.target.value === "" ? null : Number(event.target.value);
		redraw();
	} }, make("option", { value: "" }, "All processes"),
	data.processes.map((process, index) => ({ process, index })).filter(({ process }) => process.requests)
		.sort((a, b) => b.process.requests - a.process.requests || a.index - b.index).slice(0, 500)
		.map(({ process, index }) => make("option", { value: index },
			`${processName(index)} (${number(process.requests)})`)));

	const search = make("input", { type: "search", placeholder: "Function or file",
		"aria-label": "Function or file", input: () => {
			shown.words = search.value;
			sites.replaceChildren(...drawSites());
		} });

	// --------------------------------------------------------------------- page

	const timeline = make("div", { class: "sheet figure" });
	const memory = make("div", { class: "sheet figure" });
	const sites = make("ol", { class: "sheet sites" });

	const redraw = () => {
		hideTip();
		timeline.replaceChildren(...drawTimeline(timeline));
		memory.replaceChildren(...drawMemory(memory));
		sites.replaceChildren(...drawSites());
	};

	const section = (title, words, ...content) => make("section", {},
		make("header", {}, make("h2", {}, title), make("p", {}, words)), ...content);

	const headline = () => {
		const names = [...new Set(data.processes.filter((process) => process.requests)
			.sort((a, b) => b.requests - a.requests).map((process) => process.comm || "?"))];

		if (!data.sites.length)
			return "No program asked for what a policy may refuse";
		return names.length > 3 ?
			`${names.slice(0, 2).join(", ")} and ${names.length - 2} more asked for memory to run code in` :
			`${names.join(" and ")} asked for memory to run code in`;
	};

	const lead = () => {
		const summary = data.summary;
		const mended = data.sites.reduce((sum, site) => sum + site.ways.reduce((all, way) =>
			all + (way.done !== "passed-on" && way.done !== "not-mended" ? way.count : 0), 0), 0);
		const refused = data.sites.reduce((sum, site) => sum + site.ways.reduce((all, way) =>
			all + (way.done === "not-mended" ? way.count : 0), 0), 0);
		const parts = [make("b", {}, counted(summary.requests, "request", "requests")), " at ",
			make("b", {}, counted(summary.sites, "call site", "call sites")), " in ",
			make("b", {}, counted(summary.processes, "process", "processes")),
			`, within ${span(summary.last - summary.first)}. `];

		const part = (count, words) => count === summary.requests ?
			`${count === 1 ? "It" : "All"} ${words}. ` : `${number(count)} ${words}. `;
		const were = (count) => count === 1 ? "was" : "were";

		if (mended)
			parts.push(part(mended, `${were(mended)} mended`));
		if (refused)
			parts.push(part(refused, "stayed refused"));
		if (!mended && !refused && summary.requests)
			parts.push("Nothing was refused here; other machines would. ");
		return make("p", { class: "lead" }, ...parts);
	};

	const trouble = () => {
		const summary = data.summary;
		const items = data.problems.map((one) =>
			`${one.journal}${one.line ? `:${one.line}` : ""}: ${one.text}`);

		if (summary.broken > items.length)
			items.push(`and ${number(summary.broken - items.length)} more like these`);
		if (summary.lines_lost)
			items.push(`${counted(summary.lines_lost, "line of a journal was", "lines of journals were")} lost when written`);
		if (summary.requests_without_site)
			items.push(`${counted(summary.requests_without_site, "request", "requests")} more, at call sites whose first line is in none of these journals`);
		if (summary.requests_not_told_apart)
			items.push(`${counted(summary.requests_not_told_apart, "request", "requests")} more, in more places than can be told apart`);
		if (summary.sites > data.sites.length)
			items.push(`${counted(summary.sites - data.sites.length, "call site", "call sites")} of fewer requests left out (--top)`);
		return items.length ? make("div", { class: "sheet trouble" },
			make("b", {}, "Not all is here"), make("ul", {}, items.map((item) => make("li", {}, item)))) : null;
	};

	main.replaceChildren(...[
		make("p", { class: "eyebrow" }, `jitmend report · ${data.summary.first ? `${day(data.summary.first)} UTC · ` : ""}${counted(data.journals.length, "journal", "journals")}`),
		make("h1", {}, headline()),
		lead(),
		trouble(),
		data.sites.length ? make("div", { class: "filters", role: "group", "aria-label": "What is shown" },
			drawChips(), make("div", { class: "right" }, drawSelect(), search)) : null,
		...data.sites.length ? [
			section("When", "A mark is one request or more; hollow: allowed here.", timeline),
			section("Where in memory", "The areas that were asked for; darker: more often.", memory),
			section("Who asked", "Call sites, most frequent first.", sites),
			section("What to change", "Once for each cause.",
				Object.keys(data.advice).map(drawAdvice)),
		] : [],
		data.processes.length ? section("Processes", "", make("div", { class: "sheet scroll" }, drawProcesses())) : null,
		make("footer", {}, `Made by jitmend ${data.jitmend}. `, make("kbd", {}, "/"), " searches; in the pictures ",
			make("kbd", {}, "←"), " ", make("kbd", {}, "→"), " go from mark to mark, ",
			make("kbd", {}, "Enter"), " opens its call site."),
		voice, tip,
	].filter((node) => node));

	addEventListener("keydown", (event) => {
		if (event.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) {
			event.preventDefault();
			search.focus();
		}
	});
	addEventListener("scroll", hideTip, { passive: true });
	if (!data.sites.length)
		return;
	redraw();
	let width = main.clientWidth;

	new ResizeObserver(() => {
		if (main.clientWidth === width)
			return;
		width = main.clientWidth;
		timeline.replaceChildren(...drawTimeline(timeline));
		memory.replaceChildren(...drawMemory(memory));
	}).observe(main);
})();
