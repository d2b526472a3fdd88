/* Hot methods, objects and a null reference caught, for the Java VM. The
 * argument says how many rounds. */
import java.util.ArrayList;

class Audit {
	static int step(int sum, int i) {
		return (int) ((sum * 31L + i) % 1000003);
	}

	static int round(int sum) {
		ArrayList<String> words = new ArrayList<>();

		for (int i = 0; i < 300000; i++) {
			sum = step(sum, i);
			if (i % 10 == 0)
				words.add(Integer.toString(sum));
		}
		return step(sum, String.join(",", words).length());
	}

	public static void main(String[] arguments) throws Exception {
		int rounds = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 1;
		int[] sum = { 0 };
		Thread thread = new Thread(() -> {
			for (int i = 0; i < rounds; i++)
				sum[0] = round(sum[0]);
		});

		thread.start();
		thread.join();
		try {
			String nothing = rounds > 0 ? null : "";
			sum[0] += nothing.length();
		} catch (NullPointerException e) {
			sum[0]++;
		}
		System.out.println(sum[0]);
	}
}
