;; guile.scm: hot loops, strings, continuations, exceptions, threads.
(use-modules (ice-9 threads) (ice-9 control))

(define (step sum i)
  (modulo (+ (* sum 31) i) 1000003))

(define (strings sum)
  (let loop ((i 0) (sum sum) (words '()))
    (if (= i 60000)
        (step sum (string-length (apply string-append words)))
        (let ((sum (step sum i)))
          (loop (+ i 1) sum
                (if (= 0 (modulo i 10)) (cons (number->string sum) words) words))))))

(define (vectors sum)
  (let ((v (make-vector 5000 0)))
    (let loop ((i 0) (sum sum))
      (if (= i 100000)
          sum
          (begin
            (vector-set! v (modulo i 5000) (+ sum i))
            (loop (+ i 1) (step sum (vector-ref v (modulo (* i 7) 5000)))))))))

(define (escapes sum)
  (let loop ((i 0) (sum sum))
    (if (= i 3000)
        sum
        (loop (+ i 1)
              (step sum (+ (call/ec (lambda (return) (for-each return (list i 2 3)) 0))
                           (catch #t (lambda () (car i)) (lambda _ 1))))))))

(define (everything rounds)
  (let loop ((round 0) (sum rounds))
    (if (= round rounds)
        sum
        (loop (+ round 1) (escapes (vectors (strings sum)))))))

(display (everything 15))
(newline)
(display (map join-thread (map (lambda (n) (call-with-new-thread (lambda () (everything n)))) '(1 2 3))))
(newline)
